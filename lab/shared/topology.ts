/**
 * What exists beside the hosts, where, and how it is called; the hosts are in lab/fleet. Pure data. The data plane is
 * 10.77.0.0/16 and the management plane 10.78.0.0/16; hosts have the addresses from .11 on.
 */
export const ACCOUNT_ID = '111122223333';
export const REGION = 'eu-west-1';
export const STACK_NAME = 'Holdfast';
/** Who may call the product's API. The administrator may also go past it. */
export const LAB_USERS = {
  operator: 'lab-operator',
  administrator: 'lab-administrator',
  alertmanager: 'lab-alertmanager',
} as const;
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
  { name: 'ingest', dataAddress: '10.77.0.7', managementAddress: '10.78.0.7' },
  { name: 'consumers', dataAddress: '10.77.0.8', managementAddress: '10.78.0.8' },
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
/** Of the operator, for the daily export: clients put its name before that of S3. */
export const AUDIT_BUCKET = 'lab-audit-archive';
export const AWS_MANAGEMENT_ADDRESS = '10.78.0.1';
export const AWS_DATA_ADDRESS = '10.77.0.1';
export const AWS_PORT = 443;
/** SNS's own name: an Alertmanager of AMP may not be told another. It leads to the stand-ins where Prometheus runs. */
export const SNS_HOST_NAME = `sns.${REGION}.amazonaws.com`;
export const ALERTMANAGER_PORT = 9093;
/** Asks stores whether they answer, for Prometheus. */
export const STORE_EXPORTER_PORT = 9115;
export const GATEWAY_PORT = 8080;
/** Of processes that serve nothing but metrics; the first of several in one namespace. */
export const METRICS_PORT = 9100;
export const PROMETHEUS_PORT = 9090;
const PROMETHEUS = 'prometheus';
/** Base URL inside the lab, on the management plane. */
export const PROMETHEUS_URL = `http://${serviceNamed(PROMETHEUS).managementAddress}:${PROMETHEUS_PORT}`;
/** The workspace of AMP in which the same Prometheus can be read. */
export const WORKSPACE_ID = 'ws-0a1b2c3d-4e5f-4071-8293-a4b5c6d7e8f9';
