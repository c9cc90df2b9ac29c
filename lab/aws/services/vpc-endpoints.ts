import { isObject, type Json } from '../protocol/json.ts';
import { objectList } from '../protocol/service.ts';
import type { Resource, Template } from '../template/template.ts';

/** Where calls from the VPC come from. */
export interface VpcAddresses {
  functions: readonly string[];
  hosts: readonly string[];
}

/** Where an endpoint is not called as its service signs. */
const ENDPOINTS: Record<string, string> = { aps: 'aps-workspaces' };

/**
 * The only ways from the VPC to AWS are the template's endpoints: a gateway is there for all, an interface for those whom its
 * security groups let in. A template without endpoints is deployed where a NAT gateway leads everywhere.
 * @returns whether a caller at that address reaches the service; callers outside the VPC reach all.
 */
export function vpcEndpoints(template: Template, addresses: VpcAddresses): (from: string, service: string) => boolean {
  const endpoints = template.ofType('AWS::EC2::VPCEndpoint');
  if (endpoints.length === 0) return () => true;
  const ofFunctions = template
    .ofType('AWS::Lambda::Function')
    .flatMap(({ properties }) => texts(isObject(properties.VpcConfig) ? properties.VpcConfig.SecurityGroupIds : []));
  const admitted = (endpoint: Resource): string[] => {
    const groups = texts(endpoint.properties.SecurityGroupIds);
    return template
      .ofType('AWS::EC2::SecurityGroup')
      .filter((group) => groups.includes(template.attribute(group.logicalId, 'GroupId')))
      .flatMap(({ properties }) => objectList(properties.SecurityGroupIngress))
      .map((rule) => String(rule.SourceSecurityGroupId));
  };
  const [functions, hosts] = [new Set<string>(), new Set<string>()];
  for (const endpoint of endpoints) {
    const service = String(endpoint.properties.ServiceName).split('.').at(-1) ?? '';
    const isGateway = endpoint.properties.VpcEndpointType === 'Gateway';
    const from = admitted(endpoint);
    if (isGateway || from.some((group) => ofFunctions.includes(group))) functions.add(service);
    if (isGateway || from.some((group) => !ofFunctions.includes(group))) hosts.add(service);
  }
  return (from, signingName) => {
    const service = ENDPOINTS[signingName] ?? signingName;
    if (addresses.functions.includes(from)) return functions.has(service);
    return !addresses.hosts.includes(from) || hosts.has(service);
  };
}

function texts(value: Json | undefined): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}
