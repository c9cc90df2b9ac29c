import {
  type _InstanceType,
  DescribeInstancesCommand,
  DescribeInstanceTypesCommand,
  EC2Client,
} from '@aws-sdk/client-ec2';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { instanceStoreOf } from '../../../functions/aws/instance-store.ts';
import { instance } from './instance-fixture.ts';

const ec2 = mockClient(EC2Client);
afterAll(() => ec2.restore());
describe('instance store', () => {
  const typed = (number: number, InstanceType: _InstanceType) => ({ ...instance(number), InstanceType });
  const storeOf = (...ids: string[]) => instanceStoreOf(new EC2Client({ region: 'eu-west-1' }), ids);
  beforeEach(() => {
    ec2.reset();
    ec2
      .on(DescribeInstancesCommand)
      .resolves({ Reservations: [{ Instances: [typed(1, 'i4i.large'), typed(2, 'r6g.large')] }] });
    ec2.on(DescribeInstanceTypesCommand).resolves({
      InstanceTypes: [
        { InstanceType: 'i4i.large', InstanceStorageSupported: true },
        { InstanceType: 'r6g.large', InstanceStorageSupported: false },
      ],
    });
  });

  it('is told of exactly the instances whose type has it', async () => {
    expect(await storeOf('i-1', 'i-2')).toEqual(['i-1']);
    expect(await storeOf('i-2')).toEqual([]);
    expect(await storeOf()).toEqual([]);
  });

  it('is not taken for absent when EC2 does not tell', async () => {
    await expect(storeOf('i-3')).rejects.toThrow(/i-3: EC2 does not tell/);
    ec2.on(DescribeInstanceTypesCommand).resolves({ InstanceTypes: [{ InstanceType: 'r6g.large' }] });
    await expect(storeOf('i-2')).rejects.toThrow(/i-2: EC2 does not tell/);
  });
});
