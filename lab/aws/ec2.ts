import { AWS_HOST_NAME, type LabHost } from '../world.ts';
import { AwsError, unknownOperation } from './aws-error.ts';

const NAMESPACE = 'http://ec2.amazonaws.com/doc/2016-11-15/';

/** EC2 speaks the query protocol: form in, XML out. It answers DescribeInstances for the lab's hosts. */
export class Ec2 {
  readonly signingName = 'ec2';
  readonly #hosts: readonly LabHost[];
  readonly #place: { accountId: string; region: string };

  constructor(place: { accountId: string; region: string }, hosts: readonly LabHost[]) {
    this.#place = place;
    this.#hosts = hosts;
  }

  /** @throws AwsError for another operation, or a filter that would be ignored. */
  call(form: URLSearchParams): string {
    const operation = form.get('Action') ?? '';
    if (operation !== 'DescribeInstances') throw unknownOperation('ec2', operation);
    const { filters, instanceIds } = readForm(form);
    const matching = this.#hosts.filter(
      (host) =>
        (instanceIds.length === 0 || instanceIds.includes(host.instanceId)) &&
        filters.every(({ name, values }) =>
          filterValues(host, name).some((value) => values.some((glob) => like(value, glob))),
        ),
    );
    const reservations = matching.map(
      (host) =>
        `<item><reservationId>r-${host.instanceId.slice(2)}</reservationId><ownerId>${this.#place.accountId}</ownerId>` +
        `<instancesSet>${this.#instance(host)}</instancesSet></item>`,
    );
    return `<DescribeInstancesResponse xmlns="${NAMESPACE}"><requestId>lab</requestId><reservationSet>${reservations.join('')}</reservationSet></DescribeInstancesResponse>`;
  }

  #instance(host: LabHost): string {
    const addresses = [host.managementAddress, host.dataAddress].filter((address) => address !== undefined);
    const interfaces = addresses.map(
      (address, index) =>
        `<item><networkInterfaceId>eni-${host.instanceId.slice(2, -1)}${index}</networkInterfaceId><status>in-use</status>` +
        `<privateIpAddress>${address}</privateIpAddress><attachment><deviceIndex>${index}</deviceIndex><status>attached</status></attachment>` +
        `<privateIpAddressesSet><item><privateIpAddress>${address}</privateIpAddress><primary>true</primary></item></privateIpAddressesSet></item>`,
    );
    const tags = Object.entries(host.tags).map(
      ([key, value]) => `<item><key>${escapeXml(key)}</key><value>${escapeXml(value)}</value></item>`,
    );
    const domain = AWS_HOST_NAME.replace(/^[^.]+\./, '');
    return (
      `<item><instanceId>${host.instanceId}</instanceId><instanceState><code>16</code><name>running</name></instanceState>` +
      `<privateDnsName>${host.name}.${domain}</privateDnsName><privateIpAddress>${addresses[0]}</privateIpAddress>` +
      `<placement><availabilityZone>${this.#place.region}a</availabilityZone><tenancy>default</tenancy></placement>` +
      `<networkInterfaceSet>${interfaces.join('')}</networkInterfaceSet><tagSet>${tags.join('')}</tagSet></item>`
    );
  }
}

function readForm(form: URLSearchParams): { filters: { name: string; values: string[] }[]; instanceIds: string[] } {
  const filters = new Map<string, { name: string; values: string[] }>();
  const instanceIds: string[] = [];
  for (const [field, value] of form) {
    const filter = /^Filter\.(\d+)\.(Name|Value\.\d+)$/.exec(field);
    if (filter?.[1] !== undefined) {
      const entry = filters.get(filter[1]) ?? { name: '', values: [] };
      filters.set(filter[1], entry);
      if (filter[2] === 'Name') entry.name = value;
      else entry.values.push(value);
    } else if (field.startsWith('InstanceId.')) instanceIds.push(value);
    else if (!['Action', 'Version', 'MaxResults'].includes(field))
      throw new AwsError('UnknownParameter', `the lab does not know ${field}`);
  }
  return { filters: [...filters.values()], instanceIds };
}

function filterValues(host: LabHost, filter: string): string[] {
  const tag = /^tag:(.+)$/.exec(filter)?.[1];
  if (tag !== undefined) return host.tags[tag] === undefined ? [] : [host.tags[tag]];
  if (filter === 'tag-key') return Object.keys(host.tags);
  if (filter === 'instance-state-name') return ['running'];
  if (filter === 'instance-id') return [host.instanceId];
  throw new AwsError(
    'InvalidParameterValue',
    `Filter: the lab knows tag:*, tag-key, instance-state-name, instance-id, not ${filter}`,
  );
}

/** EC2's filter values may hold `*` and `?`. */
function like(value: string, glob: string): boolean {
  const pattern = glob
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${pattern}$`, 's').test(value);
}

export function escapeXml(text: string): string {
  return text.replace(/[&<>"']/g, (char) => `&#${char.charCodeAt(0)};`);
}
