import {
  GetCommandInvocationCommand,
  InvocationDoesNotExist,
  SendCommandCommand,
  SSMClient,
} from '@aws-sdk/client-ssm';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { ssmHostCommands } from '../../../functions/aws/host-commands.ts';
import { RUN_COMMAND_DELIVERY_SECONDS } from '../../../functions/domain/timing.ts';
import { SimulatedClock } from '../domain/simulated-clock.ts';

const ssm = mockClient(SSMClient);
afterAll(() => ssm.restore());
const command = { document: 'Holdfast-Holdfast-process-pause', instanceId: 'i-1', parameters: { faultId: 'exp.1' } };
const run = () => ssmHostCommands(new SSMClient({ region: 'eu-west-1' }), new SimulatedClock()).run(command, 5000);

beforeEach(() => {
  ssm.reset();
  ssm.on(SendCommandCommand).resolves({ Command: { CommandId: 'c-1' } });
});

describe('run command', () => {
  it('addresses one instance by its id, never by targets, and reads the report of the last line', async () => {
    ssm
      .on(GetCommandInvocationCommand)
      .rejectsOnce(new InvocationDoesNotExist({ message: 'not yet', $metadata: {} }))
      .resolvesOnce({ Status: 'InProgress' })
      .resolves({
        Status: 'Success',
        StatusDetails: 'Success',
        StandardOutputContent: 'noise\n{"faultId":"exp.1","instanceId":"i-1","state":"APPLIED","appliedAt":null}\n',
      });
    expect(await run()).toMatchObject({ status: 'Success', report: { state: 'APPLIED', faultId: 'exp.1' } });
    expect(ssm.commandCalls(SendCommandCommand)[0]?.args[0].input).toEqual({
      DocumentName: command.document,
      InstanceIds: ['i-1'],
      Parameters: { faultId: ['exp.1'] },
      TimeoutSeconds: RUN_COMMAND_DELIVERY_SECONDS,
    });
  });

  it.each(['Undeliverable', 'TimedOut', 'Cancelled', 'Failed', 'DeliveryTimedOut'])('ends at %s', async (status) => {
    ssm
      .on(GetCommandInvocationCommand)
      .resolves({ Status: 'Failed', StatusDetails: status, StandardErrorContent: 'why' });
    expect(await run()).toEqual({ status, detail: 'why' });
  });

  it('says so when the command could not be sent, never ends, or cannot be looked at', async () => {
    ssm.on(GetCommandInvocationCommand).resolves({ Status: 'Pending' });
    expect(await run()).toMatchObject({ status: 'DEADLINE' });
    ssm.on(GetCommandInvocationCommand).rejects(new Error('throttled'));
    expect(await run()).toMatchObject({ status: 'DEADLINE', detail: expect.stringContaining('throttled') });
    ssm.on(SendCommandCommand).rejects(new Error('denied'));
    expect(await run()).toMatchObject({ status: 'NOT_SENT', detail: expect.stringContaining('denied') });
  });
});
