import { Stack } from 'aws-cdk-lib';
import { CfnVPCEndpoint, Peer, Port, SecurityGroup } from 'aws-cdk-lib/aws-ec2';
import { Construct } from 'constructs';
import type { Configuration } from '../functions/engines/configuration.ts';
import type { ControlFunction, FunctionNetwork } from './control-function.ts';

/** What the host program and the SSM agent call: the lease, and Run Command. */
export const HOST_SERVICES: readonly string[] = ['dynamodb', 'ec2messages', 'ssm', 'ssmmessages'];
/** Reached through route tables, at no price; every other service through interfaces in the subnets. */
const GATEWAY_SERVICE = 'dynamodb';

type Endpoints = NonNullable<Configuration['network']['endpoints']>;

/** What the functions that stand in the VPC call: each needs a way there, an endpoint or a NAT gateway. */
export function servicesInVpc(functions: readonly ControlFunction[]): string[] {
  return [...new Set(functions.filter(({ isInVpc }) => isInVpc).flatMap(({ services }) => services))].sort();
}

/** A way from the subnets of functions and hosts to exactly the services that they call, for a VPC that has none. */
export class VpcEndpoints extends Construct {
  constructor(
    scope: Construct,
    id: string,
    network: Configuration['network'] & { endpoints: Endpoints },
    { vpc }: FunctionNetwork,
    services: readonly string[],
  ) {
    super(scope, id);
    const { routeTableIds, hostSecurityGroupIds } = network.endpoints;
    const serviceName = (service: string): string => `com.amazonaws.${Stack.of(this).region}.${service}`;
    const reachableFrom = (name: string, securityGroupIds: readonly string[]): SecurityGroup => {
      const group = new SecurityGroup(this, name, {
        vpc,
        description: 'Holdfast: who may use these endpoints.',
        allowAllOutbound: false,
      });
      for (const securityGroupId of securityGroupIds)
        group.addIngressRule(Peer.securityGroupId(securityGroupId), Port.tcp(443));
      return group;
    };
    const fromFunctions = reachableFrom('FromFunctions', [network.securityGroupId]);
    const fromHosts = reachableFrom('FromHosts', hostSecurityGroupIds);

    new CfnVPCEndpoint(this, GATEWAY_SERVICE, {
      vpcId: network.vpcId,
      serviceName: serviceName(GATEWAY_SERVICE),
      vpcEndpointType: 'Gateway',
      routeTableIds,
    });
    for (const service of new Set([...services, ...HOST_SERVICES])) {
      if (service === GATEWAY_SERVICE) continue;
      const groups = [
        ...(services.includes(service) ? [fromFunctions] : []),
        ...(HOST_SERVICES.includes(service) ? [fromHosts] : []),
      ];
      new CfnVPCEndpoint(this, service, {
        vpcId: network.vpcId,
        serviceName: serviceName(service),
        vpcEndpointType: 'Interface',
        subnetIds: network.subnetIds,
        securityGroupIds: groups.map(({ securityGroupId }) => securityGroupId),
        privateDnsEnabled: true,
      });
    }
  }
}
