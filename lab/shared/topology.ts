/**
 * What exists beside the hosts, where, and how it is called; the hosts are in lab/fleet. Pure data. The data plane is
 * 10.77.0.0/16 and the management plane 10.78.0.0/16; hosts have the addresses from .11 on.
 */
export const ACCOUNT_ID = '111122223333';
export const REGION = 'eu-west-1';
export const STACK_NAME = 'Holdfast';
/** Who may call the product's API. The administrator may also go past it. */
export const LAB_USERS = { operator: 'lab-operator', administrator: 'lab-administrator' } as const;
export const DOMAIN = 'holdfast.internal';

interface LabService {
  name: string;
  dataAddress: string;
  managementAddress?: string;
}

/** Where Lambdas with a VPC config run. */
export const FUNCTIONS_NAMESPACE = 'vpc';

/** Namespaces that are not EC2 instances. */
export const SERVICES: readonly LabService[] = [
  { name: FUNCTIONS_NAMESPACE, dataAddress: '10.77.0.2', managementAddress: '10.78.0.2' },
  { name: 'prometheus', dataAddress: '10.77.0.3', managementAddress: '10.78.0.3' },
  { name: 'gateway-1', dataAddress: '10.77.0.4', managementAddress: '10.78.0.4' },
  { name: 'gateway-2', dataAddress: '10.77.0.5', managementAddress: '10.78.0.5' },
  { name: 'load', dataAddress: '10.77.0.6' },
];

export function addressesOf({ dataAddress, managementAddress }: Omit<LabService, 'name'>): string[] {
  return managementAddress === undefined ? [dataAddress] : [dataAddress, managementAddress];
}

/** @throws Error for a service that does not exist or has no management address. */
export function serviceNamed(name: string): { name: string; managementAddress: string } {
  const found = SERVICES.find((service) => service.name === name);
  if (found?.managementAddress === undefined) throw new Error(`no service ${name} with a management address`);
  return { name, managementAddress: found.managementAddress };
}

/**
 * Where Lambdas without a VPC config run: one cable to the AWS endpoint and nothing else. As in AWS, no store and no
 * Prometheus can be reached from there.
 */
export const LAMBDA_NETWORK = {
  name: 'lambda',
  address: '10.79.0.2',
  awsAddress: '10.79.0.1',
  prefixBits: 30,
} as const;

/** Instance metadata, on the loopback of every host. */
export const INSTANCE_METADATA_ADDRESS = '169.254.169.254';

/** Where the AWS stand-ins listen: in the lab's root namespace, on both bridges and at `LAMBDA_NETWORK`'s far end. */
export const AWS_HOST_NAME = `aws.${DOMAIN}`;
export const AWS_MANAGEMENT_ADDRESS = '10.78.0.1';
export const AWS_DATA_ADDRESS = '10.77.0.1';
export const AWS_PORT = 443;
export const PROMETHEUS_PORT = 9090;
export const GATEWAY_PORT = 8080;
