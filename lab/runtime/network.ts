import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { ENGINES, FLEET_HOSTS } from '../fleet/fleet.ts';
import {
  AUDIT_BUCKET,
  AWS_DATA_ADDRESS,
  AWS_HOST_NAME,
  AWS_MANAGEMENT_ADDRESS,
  DOMAIN,
  INSTANCE_METADATA_ADDRESS,
  LAMBDA_NETWORK,
  SERVICES,
  SNS_HOST_NAME,
} from '../shared/topology.ts';
import { PROMETHEUS_NAMESPACE } from '../traffic/prometheus.ts';

/** Bits of both planes' networks, 10.77.0.0/16 and 10.78.0.0/16. */
const PREFIX = 16;

/** Above what distributions give to people and to services. */
const FIRST_ACCOUNT_ID = 61_900;

interface Station {
  name: string;
  dataAddress: string;
  managementAddress?: string;
  /** Is an EC2 instance, so has instance metadata. */
  isInstance: boolean;
}

const STATIONS: readonly Station[] = [
  ...SERVICES.map((service) => ({ ...service, isInstance: false })),
  ...FLEET_HOSTS.map((host) => ({ ...host, isInstance: true })),
];

/** Interface names are short (15 bytes at most), so the far ends are called after the address's last number. */
function bridgeEnd(plane: 'data' | 'mgmt', address: string): string {
  return `${plane}${address.split('.').at(-1)}`;
}

/** `ip -batch` lines for the lab's root namespace: both bridges and one cable per station and plane. */
export function rootNetwork(stations: readonly Station[] = STATIONS): string[] {
  const lines = ['link set lo up'];
  for (const [plane, address] of [
    ['data', AWS_DATA_ADDRESS],
    ['mgmt', AWS_MANAGEMENT_ADDRESS],
  ] as const) {
    lines.push(`link add br-${plane} type bridge forward_delay 0 stp_state 0 mcast_snooping 0`);
    lines.push(`addr add ${address}/${PREFIX} dev br-${plane}`, `link set br-${plane} up`);
  }
  for (const station of stations) {
    lines.push(`netns add ${station.name}`);
    for (const [plane, device, address] of cables(station)) {
      const far = bridgeEnd(plane, address);
      lines.push(`link add ${far} type veth peer name ${device} netns ${station.name}`);
      lines.push(`link set ${far} master br-${plane} up`);
    }
  }
  return lines;
}

/** `ip -batch` lines for the namespace of one station. */
export function stationNetwork(station: Station): string[] {
  const lines = ['link set lo up'];
  if (station.isInstance) lines.push(`addr add ${INSTANCE_METADATA_ADDRESS}/32 dev lo`);
  for (const [, device, address] of cables(station)) {
    lines.push(`addr add ${address}/${PREFIX} dev ${device}`, `link set ${device} up`);
  }
  return lines;
}

function cables(station: Station): ['data' | 'mgmt', string, string][] {
  const management = station.managementAddress;
  return [
    ['data', 'eth0', station.dataAddress],
    ...(management === undefined ? [] : [['mgmt', 'eth1', management] satisfies ['mgmt', string, string]]),
  ];
}

const LOOPBACK_NAMES = ['127.0.0.1 localhost', '::1 localhost'];

/** `ip -batch` lines for the root's and the far end of the cable of Lambdas without a VPC; there is no route on. */
function lambdaNetwork(): { root: string[]; lambda: string[] } {
  const { name, address, awsAddress, prefixBits } = LAMBDA_NETWORK;
  return {
    root: [
      `netns add ${name}`,
      `link add ${name} type veth peer name eth0 netns ${name}`,
      `addr add ${awsAddress}/${prefixBits} dev ${name}`,
      `link set ${name} up`,
    ],
    lambda: ['link set lo up', `addr add ${address}/${prefixBits} dev eth0`, 'link set eth0 up'],
  };
}

/**
 * /etc/hosts of one viewer. Stores are on the data plane; everything else is on the management plane, for viewers without
 * one on the data plane. `undefined` is the lab's root namespace, which has both.
 */
export function hostsFile(viewer: Station | undefined): string {
  const managed = viewer === undefined || viewer.managementAddress !== undefined;
  const line = (address: string, name: string): string => `${address} ${name}.${DOMAIN} ${name}`;
  return [
    ...LOOPBACK_NAMES,
    `${managed ? AWS_MANAGEMENT_ADDRESS : AWS_DATA_ADDRESS} ${AWS_HOST_NAME} aws`,
    ...(viewer?.name === PROMETHEUS_NAMESPACE ? [`${AWS_MANAGEMENT_ADDRESS} ${SNS_HOST_NAME}`] : []),
    ...SERVICES.map((service) => line((managed && service.managementAddress) || service.dataAddress, service.name)),
    ...FLEET_HOSTS.map((host) => line(host.dataAddress, host.name)),
    '',
  ].join('\n');
}

/**
 * Private copies of /run and /etc, so that those of the machine are not touched. Names resolve from /etc/hosts
 * alone. The only name server is the loopback, where nothing listens: an unknown name fails at once and never leaves.
 */
function privateSystemFiles(): void {
  execFileSync('sh', [
    '-ec',
    `mount -t tmpfs -o mode=755,size=1g lab-run /run
     mkdir /run/netns /run/etc /run/lab-staging /run/cgroup
     mount --rbind /sys/fs/cgroup /run/cgroup
     cp -a /etc/. /run/etc/
     mount --bind /run/etc /etc
     rm -f /etc/resolv.conf /etc/hosts /etc/nsswitch.conf
     touch /etc/ld.so.preload
     mkdir -p /etc/holdfast /etc/netns`,
  ]);
  writeFileSync('/etc/resolv.conf', 'nameserver 127.0.0.1\n');
  writeFileSync(
    '/etc/nsswitch.conf',
    'passwd: files\ngroup: files\nshadow: files\nhosts: files dns\nservices: files\n',
  );
  writeFileSync('/etc/hosts', hostsFile(undefined));
  for (const [index, name] of ENGINES.flatMap(({ accounts = [] }) => accounts).entries()) addAccount(name, index);
}

/** Of the lab's hosts alone. One that the machine has is left as it is. */
function addAccount(name: string, index: number): void {
  if (new RegExp(`^${name}:`, 'm').test(readFileSync('/etc/passwd', 'utf8'))) return;
  const id = FIRST_ACCOUNT_ID + index;
  appendFileSync('/etc/passwd', `${name}:x:${id}:${id}::/nonexistent:/usr/sbin/nologin\n`);
  appendFileSync('/etc/group', `${name}:x:${id}:\n`);
}

/**
 * Builds the lab's network inside fresh network and mount namespaces. `ip netns exec NAME` then gives a process the
 * station's network and its /etc/hosts.
 * @throws Error with the output of `ip` when a step fails.
 */
export function createNetwork(): void {
  privateSystemFiles();
  // Nothing may travel between the planes: a partition of one must not be bridged by the other, and a Lambda without a
  // VPC must not get past the AWS endpoint.
  for (const setting of ['ipv4/ip_forward', 'ipv6/conf/all/forwarding']) {
    writeFileSync(`/proc/sys/net/${setting}`, '0');
  }
  ipBatch([], rootNetwork());
  const lambda = lambdaNetwork();
  ipBatch([], lambda.root);
  ipBatch(['-n', LAMBDA_NETWORK.name], lambda.lambda);
  privateNames(
    LAMBDA_NETWORK.name,
    [...LOOPBACK_NAMES, `${LAMBDA_NETWORK.awsAddress} ${AWS_HOST_NAME} ${AUDIT_BUCKET}.${AWS_HOST_NAME}`, ''].join(
      '\n',
    ),
  );
  for (const station of STATIONS) {
    const overrides = privateNames(station.name, hostsFile(station));
    if (station.isInstance) mkdirSync(`${overrides}/holdfast`, { mode: 0o700 });
    ipBatch(['-n', station.name], stationNetwork(station));
  }
}

/** What `ip netns exec NAME` puts in the place of the machine's files. @returns the directory of these files. */
function privateNames(name: string, hosts: string): string {
  const overrides = `/etc/netns/${name}`;
  mkdirSync(overrides, { recursive: true });
  writeFileSync(`${overrides}/hosts`, hosts);
  writeFileSync(`${overrides}/hostname`, `${name}\n`);
  return overrides;
}

function ipBatch(options: string[], lines: string[]): void {
  execFileSync('ip', [...options, '-batch', '-'], {
    input: `${lines.join('\n')}\n`,
    stdio: ['pipe', 'ignore', 'pipe'],
  });
}
