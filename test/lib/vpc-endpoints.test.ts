import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { HOST_SERVICES, servicesInVpc } from '../../lib/vpc-endpoints.ts';
import { functions, ofType } from './synthesized.ts';

const README = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
const inVpc = functions.filter(({ isInVpc }) => isInVpc);

interface Endpoint {
  ServiceName: { 'Fn::Join': [string, string[]] };
  VpcEndpointType: string;
  SecurityGroupIds?: { 'Fn::GetAtt': [string] }[];
}
const endpoints = ofType('AWS::EC2::VPCEndpoint').map(([, { Properties }]) => Properties as unknown as Endpoint);
const serviceOf = ({ ServiceName }: Endpoint): string => ServiceName['Fn::Join'][1].at(-1)?.slice(1) ?? '';
const namesOfGroups = ({ SecurityGroupIds = [] }: Endpoint): string[] =>
  SecurityGroupIds.map((group) => group['Fn::GetAtt'][0].replace(/^Endpoints(From[A-Za-z]+)[0-9A-F]{8}$/, '$1'));

describe('a VPC without a NAT gateway', () => {
  it('has an endpoint for every service that functions or hosts in it call, and for no other', () => {
    const called = new Set([...servicesInVpc(functions), ...HOST_SERVICES]);
    expect(endpoints.map(serviceOf).sort()).toEqual([...called].sort());
    expect(inVpc.length).toBeGreaterThan(3);
  });

  it('lets functions and hosts to what they call, and to nothing else', () => {
    for (const endpoint of endpoints) {
      const service = serviceOf(endpoint);
      const expected = [
        ...(servicesInVpc(functions).includes(service) ? ['FromFunctions'] : []),
        ...(HOST_SERVICES.includes(service) ? ['FromHosts'] : []),
      ];
      const isGateway = endpoint.VpcEndpointType === 'Gateway';
      expect(namesOfGroups(endpoint), service).toEqual(isGateway ? [] : expected);
    }
  });
});

describe('the README', () => {
  it('names for each service who in the VPC calls it', () => {
    const callers = (service: string): string =>
      [
        ...inVpc.filter(({ services }) => services.includes(service)).map(({ node }) => node.id),
        ...(HOST_SERVICES.includes(service) ? ['hosts'] : []),
      ].join(', ');
    const rows = [...new Set(endpoints.map(serviceOf))]
      .sort()
      .map((service) => `| \`${service}\` | ${callers(service)} |`);
    const [, table = ''] = /\| service \| called by \|\n\|---\|---\|\n((?:\|.*\n)+)/.exec(README) ?? [];
    expect(table.trimEnd().split('\n')).toEqual(rows);
  });
});
