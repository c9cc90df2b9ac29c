/**
 * The lab's map: who exists, where, and how they are called. Pure data, read by everything in `lab/` and by the tests.
 * Addresses and ids follow docs/contracts.md.
 */
export const ACCOUNT_ID = '111122223333';
export const REGION = 'eu-west-1';
export const STACK_NAME = 'Holdfast';
export const DOMAIN = 'holdfast.internal';
export const REDIS_PORT = 6379;
export const SENTINEL_PORT = 26379;
/** A unit name of the stand-in systemd on every Redis host. */
export const REDIS_UNIT = 'redis-server';
export const SENTINEL_UNIT = 'redis-sentinel';

export interface LabHost {
  name: string;
  instanceId: string;
  shard: string;
  dataAddress: string;
  /** Absent on hosts of the last shard: one interface carries everything, as on most EC2 hosts. */
  managementAddress?: string;
  /** Master when the lab starts. */
  initialMaster: boolean;
  tags: Record<string, string>;
}

const NODES_PER_SHARD = 3;
const SHARD_COUNT = 4;

export const REDIS_HOSTS: readonly LabHost[] = Array.from({ length: NODES_PER_SHARD * SHARD_COUNT }, (_, index) => {
  const number = index + 1;
  const shardNumber = Math.ceil(number / NODES_PER_SHARD);
  const name = `redis-node-${number}`;
  return {
    name,
    instanceId: `i-0${number.toString(16).padStart(16, '0')}`,
    shard: `shard-${shardNumber}`,
    dataAddress: `10.77.0.${10 + number}`,
    ...(shardNumber < SHARD_COUNT ? { managementAddress: `10.78.0.${10 + number}` } : {}),
    initialMaster: number % NODES_PER_SHARD === 0,
    tags: { Name: name, 'holdfast-target': 'true', 'holdfast-cluster': 'redis-master' },
  };
});

export const SHARDS: readonly string[] = [...new Set(REDIS_HOSTS.map((host) => host.shard))];
/** The partition that takes every n-th request only: where experiments start. */
export const CANARY_SHARD = 'shard-1';

export interface LabService {
  name: string;
  dataAddress: string;
  managementAddress?: string;
}

/** Namespaces that are not EC2 instances. */
export const SERVICES: readonly LabService[] = [
  { name: 'vpc', dataAddress: '10.77.0.2', managementAddress: '10.78.0.2' },
  { name: 'prometheus', dataAddress: '10.77.0.3', managementAddress: '10.78.0.3' },
  { name: 'gateway-1', dataAddress: '10.77.0.4', managementAddress: '10.78.0.4' },
  { name: 'gateway-2', dataAddress: '10.77.0.5', managementAddress: '10.78.0.5' },
  { name: 'load', dataAddress: '10.77.0.6' },
];

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

/** Where the AWS stand-ins listen: in the lab's root namespace, on both bridges and at `LAMBDA_NETWORK`'s far end. */
export const AWS_HOST_NAME = `aws.${DOMAIN}`;
export const AWS_MANAGEMENT_ADDRESS = '10.78.0.1';
export const AWS_DATA_ADDRESS = '10.77.0.1';
export const AWS_PORT = 443;
export const PROMETHEUS_PORT = 9090;
export const GATEWAY_PORT = 8080;
