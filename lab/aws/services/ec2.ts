import type { LabHost } from '../../fleet/engine.ts';
import { DOMAIN } from '../../shared/topology.ts';
import { HOST_ROLE_NAME } from '../iam/roles.ts';
import { AwsError, unknownOperation } from '../protocol/aws-error.ts';
import type { Demand } from '../protocol/principal.ts';
import { escapeXml } from '../protocol/query-protocol.ts';
import type { QueryService } from '../protocol/service.ts';
import { type Ec2Form, like, page, readForm } from './ec2-form.ts';
import { INSTANCE_STATE_CODES, type InstanceState, type Instances } from './instances.ts';

const NAMESPACE = 'http://ec2.amazonaws.com/doc/2016-11-15/';
const INSTANCE_TYPE = 'r6g.large';
const [ROOT_DEVICE, DATA_DEVICE] = ['/dev/xvda', '/dev/sdf'];
const ZONES = ['a', 'b', 'c'];

/** EC2 speaks the query protocol: form in, XML out. It tells of the lab's hosts, and starts those that are stopped. */
export class Ec2 implements QueryService {
  readonly signingName = 'ec2';
  readonly errorForm = 'Ec2';
  readonly instances: Instances;
  readonly #place: { accountId: string; region: string };
  readonly #operations: Record<string, (form: Ec2Form) => string> = {
    DescribeInstances: (form) => this.#describeInstances(form),
    DescribeInstanceTypes: (form) => describeInstanceTypes(form),
    DescribeNetworkInterfaces: (form) => this.#describeNetworkInterfaces(form),
    // The lab has no network ACLs, so none of FIS either.
    DescribeNetworkAcls: () => '<networkAclSet/>',
    StartInstances: (form) => this.#startInstances(form),
  };

  constructor(place: { accountId: string; region: string }, instances: Instances) {
    this.#place = place;
    this.instances = instances;
  }

  /** Permissions the call needs. */
  demands(form: URLSearchParams): Demand[] {
    const action = `ec2:${form.get('Action')}`;
    if (form.get('Action') !== 'StartInstances') return [{ action, resource: '*' }];
    return readForm(form).lists.InstanceId.map((instanceId) => this.demand(action, instanceId));
  }

  /** One action on one instance, with the tags that it has. */
  demand(action: string, instanceId: string): Demand {
    const { accountId, region } = this.#place;
    const host = this.instances.find(instanceId);
    const tags = Object.entries(host ? this.instances.tagsOf(host) : {});
    return {
      action,
      resource: `arn:aws:ec2:${region}:${accountId}:instance/${instanceId}`,
      context: Object.fromEntries(
        tags.flatMap(([key, value]) => [
          [`aws:ResourceTag/${key}`, value],
          [`ec2:ResourceTag/${key}`, value],
        ]),
      ),
    };
  }

  /** @throws AwsError for another operation, a filter that would be ignored, or an instance that does not exist. */
  call(form: URLSearchParams): string {
    const name = form.get('Action') ?? '';
    const operation = this.#operations[name];
    if (operation === undefined) throw unknownOperation('ec2', name);
    return `<${name}Response xmlns="${NAMESPACE}"><requestId>lab</requestId>${operation(readForm(form))}</${name}Response>`;
  }

  #named(instanceIds: readonly string[]): LabHost[] {
    return instanceIds.map((instanceId) => {
      const host = this.instances.find(instanceId);
      if (host === undefined)
        throw new AwsError('InvalidInstanceID.NotFound', `The instance ID '${instanceId}' does not exist`);
      return host;
    });
  }

  #describeInstances({ filters, lists, seen }: Ec2Form): string {
    const candidates = lists.InstanceId.length === 0 ? this.instances.hosts : this.#named(lists.InstanceId);
    const matching = candidates.filter((host) =>
      filters.every(({ name, values }) =>
        filterValues(host, this.instances, name).some((value) => values.some((glob) => like(value, glob))),
      ),
    );
    const reservations = matching.map(
      (host) =>
        `<item><reservationId>r-${host.instanceId.slice(2)}</reservationId><ownerId>${this.#place.accountId}</ownerId>` +
        `<instancesSet>${this.#instance(host)}</instancesSet></item>`,
    );
    return page('reservationSet', reservations, { seen });
  }

  /** Of all hosts of the lab, its only ones. */
  #describeNetworkInterfaces({ filters, seen }: Ec2Form): string {
    const unknown = filters.filter(({ name }) => name !== 'subnet-id').map(({ name }) => name);
    if (unknown.length > 0)
      throw new AwsError('InvalidParameterValue', `Filter: the lab knows subnet-id, not ${unknown.join(', ')}`);
    const existing = this.instances.hosts.filter((host) => this.instances.stateOf(host) !== 'terminated');
    const matching = existing.filter((host) =>
      filters.every(({ values }) => values.some((glob) => like(subnetOf(host), glob))),
    );
    const items = matching.flatMap((host) =>
      interfacesOf(host).map(
        ({ id, address, index }) =>
          `<item><networkInterfaceId>${id}</networkInterfaceId><subnetId>${subnetOf(host)}</subnetId><status>in-use</status>` +
          `<description>${host.name}</description><privateIpAddress>${address}</privateIpAddress>` +
          `<attachment><instanceId>${host.instanceId}</instanceId><deviceIndex>${index}</deviceIndex></attachment>` +
          `<privateIpAddressesSet><item><privateIpAddress>${address}</privateIpAddress><primary>true</primary></item></privateIpAddressesSet></item>`,
      ),
    );
    return page('networkInterfaceSet', items, { seen });
  }

  /** Answers at once, as EC2 does; the instance is `pending` until its host is up. */
  #startInstances({ lists }: Ec2Form): string {
    const items = this.#named(lists.InstanceId).map((host) => {
      const previous = this.instances.stateOf(host);
      if (['stopping', 'shutting-down', 'terminated'].includes(previous))
        throw new AwsError(
          'IncorrectInstanceState',
          `The instance '${host.instanceId}' is not in a state from which it can be started.`,
        );
      this.instances.start(host).catch((error: unknown) => console.error(`ec2: ${host.name} did not start:`, error));
      const [current, before] = [stateItem(this.instances.stateOf(host)), stateItem(previous)];
      return `<item><instanceId>${host.instanceId}</instanceId><currentState>${current}</currentState><previousState>${before}</previousState></item>`;
    });
    return `<instancesSet>${items.join('')}</instancesSet>`;
  }

  #instance(host: LabHost): string {
    const addressed = this.instances.stateOf(host) === 'terminated' ? [] : interfacesOf(host);
    const interfaces = addressed.map(
      ({ id, address, index }) =>
        `<item><networkInterfaceId>${id}</networkInterfaceId><status>in-use</status>` +
        `${groupSet(host)}<privateIpAddress>${address}</privateIpAddress><attachment><deviceIndex>${index}</deviceIndex><status>attached</status></attachment>` +
        `<privateIpAddressesSet><item><privateIpAddress>${address}</privateIpAddress><primary>true</primary></item></privateIpAddressesSet></item>`,
    );
    const tags = Object.entries(this.instances.tagsOf(host)).map(
      ([key, value]) => `<item><key>${escapeXml(key)}</key><value>${escapeXml(value)}</value></item>`,
    );
    const zone = zoneOf(host);
    const volumes = [ROOT_DEVICE, DATA_DEVICE].map(
      (device, index) =>
        `<item><deviceName>${device}</deviceName><ebs><volumeId>vol-${index}${host.instanceId.slice(3)}</volumeId><status>attached</status></ebs></item>`,
    );
    return (
      `<item><instanceId>${host.instanceId}</instanceId><instanceState>${stateItem(this.instances.stateOf(host))}</instanceState>` +
      `<privateDnsName>${host.name}.${DOMAIN}</privateDnsName>${addressed
        .slice(0, 1)
        .map(({ address }) => `<privateIpAddress>${address}</privateIpAddress>`)
        .join('')}` +
      `<instanceType>${INSTANCE_TYPE}</instanceType><subnetId>${subnetOf(host)}</subnetId>` +
      `<placement><availabilityZone>${this.#place.region}${zone}</availabilityZone><tenancy>default</tenancy></placement>` +
      `<iamInstanceProfile><arn>arn:aws:iam::${this.#place.accountId}:instance-profile/${HOST_ROLE_NAME}</arn><id>AIPALAB</id></iamInstanceProfile>${groupSet(host)}` +
      `<rootDeviceName>${ROOT_DEVICE}</rootDeviceName><blockDeviceMapping>${volumes.join('')}</blockDeviceMapping>` +
      `<networkInterfaceSet>${interfaces.join('')}</networkInterfaceSet><tagSet>${tags.join('')}</tagSet></item>`
    );
  }
}

/** The nodes of a shard stand in three zones, as they should. */
function zoneOf(host: LabHost): string {
  const number = Number.parseInt(host.instanceId.slice(2), 16);
  return ZONES[(number - 1) % ZONES.length] ?? '';
}

function subnetOf(host: LabHost): string {
  return `subnet-${zoneOf(host)}`;
}

function interfacesOf({ instanceId, managementAddress, dataAddress }: LabHost) {
  return [managementAddress, dataAddress]
    .filter((address) => address !== undefined)
    .map((address, index) => ({ id: `eni-${instanceId.slice(-16)}${index}`, address, index }));
}

function groupSet({ securityGroupId }: LabHost): string {
  return `<groupSet><item><groupId>${securityGroupId}</groupId><groupName>${securityGroupId}</groupName></item></groupSet>`;
}

function stateItem(state: InstanceState): string {
  return `<code>${INSTANCE_STATE_CODES[state]}</code><name>${state}</name>`;
}

/** All hosts of the lab are of one type, which has no instance store. */
function describeInstanceTypes({ lists }: Ec2Form): string {
  const unknown = lists.InstanceType.filter((type) => type !== INSTANCE_TYPE);
  if (unknown.length > 0)
    throw new AwsError('InvalidInstanceType', `the lab knows ${INSTANCE_TYPE}, not ${unknown.join(', ')}`);
  return `<instanceTypeSet><item><instanceType>${INSTANCE_TYPE}</instanceType><instanceStorageSupported>false</instanceStorageSupported></item></instanceTypeSet>`;
}

function filterValues(host: LabHost, instances: Instances, filter: string): string[] {
  const tags = instances.tagsOf(host);
  const tag = /^tag:(.+)$/.exec(filter)?.[1];
  if (tag !== undefined) return tags[tag] === undefined ? [] : [tags[tag]];
  if (filter === 'tag-key') return Object.keys(tags);
  if (filter === 'instance-state-name') return [instances.stateOf(host)];
  if (filter === 'instance-id') return [host.instanceId];
  throw new AwsError(
    'InvalidParameterValue',
    `Filter: the lab knows tag:*, tag-key, instance-state-name, instance-id, not ${filter}`,
  );
}
