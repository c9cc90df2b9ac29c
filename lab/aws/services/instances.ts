import type { LabHost } from '../../fleet/engine.ts';

/** EC2's names and codes. */
export const INSTANCE_STATE_CODES = {
  ...{ pending: 0, running: 16, 'shutting-down': 32, terminated: 48, stopping: 64, stopped: 80 },
} as const;
export type InstanceState = keyof typeof INSTANCE_STATE_CODES;

/** What really happens to a host of the lab. Both resolve when it has happened. */
export interface HostPower {
  stop(host: LabHost): Promise<void>;
  start(host: LabHost): Promise<void>;
}

/** As a tester makes it. Auto Scaling stamps its name on its members as a tag. */
export interface ScalingGroup {
  name: string;
  /** Names. */
  hosts: string[];
  healthChecks: string[];
  suspendedProcesses: string[];
  /** Absent: that of one which was made without. */
  healthCheckGraceSeconds?: number;
}
const REPLACING = ['Terminate', 'HealthCheck', 'ReplaceUnhealthy'];
const LAUNCH = 'Launch';
/** As stateful stores are often run: a group for each node, which keeps one there. */
const GROUP_OF_ONE = { healthChecks: ['EC2'], suspendedProcesses: [], healthCheckGraceSeconds: 3600 };

/** Auto Scaling looks at its members now and then; in AWS that takes up to minutes. */
const REPLACED_AFTER_MS = 10_000;

/** The hosts as instances and their states. A failed stop or start leaves the instance `stopping` or `pending`. */
export class Instances {
  scalingGroups: readonly ScalingGroup[];
  readonly #hosts: readonly LabHost[];
  readonly #power: HostPower;
  readonly #replacedAfterMs: number;
  readonly #states = new Map<string, InstanceState>();

  /** @param hosts also those that take the place of others: each is started once by the group of that one */
  constructor(hosts: readonly LabHost[], power: HostPower, replacedAfterMs = REPLACED_AFTER_MS) {
    this.#hosts = hosts;
    this.#power = power;
    this.#replacedAfterMs = replacedAfterMs;
    this.scalingGroups = hosts.flatMap(({ replaces }) =>
      replaces === undefined ? [] : [{ ...GROUP_OF_ONE, name: `${replaces}-group`, hosts: [replaces] }],
    );
  }

  /** Those that there are, or were. */
  get hosts(): readonly LabHost[] {
    return this.#hosts.filter(({ instanceId, replaces }) => replaces === undefined || this.#states.has(instanceId));
  }

  find(instanceId: string): LabHost | undefined {
    return this.hosts.find((host) => host.instanceId === instanceId);
  }

  stateOf(host: LabHost): InstanceState {
    return this.#states.get(host.instanceId) ?? 'running';
  }

  tagsOf(host: LabHost): Record<string, string> {
    const group = this.#groupOf(host);
    return group === undefined ? host.tags : { ...host.tags, 'aws:autoscaling:groupName': group.name };
  }

  /** A member that does not run is unhealthy: unless its group is kept from it, it is terminated for another. */
  async stop(host: LabHost): Promise<void> {
    if (this.stateOf(host) !== 'running') return;
    this.#states.set(host.instanceId, 'stopping');
    await this.#power.stop(host);
    if (!this.#isReplaced(host)) this.#states.set(host.instanceId, 'stopped');
    else this.#end(host);
  }

  /** Whatever state it is in, it is gone for good; of one that is gone already nothing more. */
  async terminate(host: LabHost): Promise<void> {
    const state = this.stateOf(host);
    if (state === 'terminated' || state === 'shutting-down') return;
    this.#states.set(host.instanceId, 'shutting-down');
    if (state !== 'stopped') await this.#power.stop(host);
    this.#end(host);
  }

  /** Only a stopped instance can be started. */
  async start(host: LabHost): Promise<void> {
    if (this.stateOf(host) !== 'stopped') return;
    this.#states.set(host.instanceId, 'pending');
    await this.#power.start(host);
    this.#states.set(host.instanceId, 'running');
  }

  /** EC2 calls an instance running all the while. */
  async reboot(host: LabHost): Promise<void> {
    if (this.stateOf(host) !== 'running') return;
    if (this.#isReplaced(host)) return this.stop(host);
    await this.#power.stop(host);
    await this.#power.start(host);
  }

  #end(host: LabHost): void {
    this.#states.set(host.instanceId, 'terminated');
    const group = this.#groupOf(host);
    const next = this.#hosts.find(
      ({ replaces, instanceId }) => replaces === host.name && !this.#states.has(instanceId),
    );
    if (!group || !next || [...REPLACING, LAUNCH].some((process) => group.suspendedProcesses.includes(process))) return;
    setTimeout(() => {
      this.#launch(next, group).catch((error: unknown) => console.error(`${next.name} did not start:`, error));
    }, this.#replacedAfterMs).unref();
  }

  async #launch(host: LabHost, group: ScalingGroup): Promise<void> {
    this.#states.set(host.instanceId, 'pending');
    this.scalingGroups = this.scalingGroups.map((each) =>
      each.name === group.name ? { ...each, hosts: [host.name] } : each,
    );
    await this.#power.start(host);
    this.#states.set(host.instanceId, 'running');
  }

  #groupOf({ name }: LabHost): ScalingGroup | undefined {
    return this.scalingGroups.find(({ hosts }) => hosts.includes(name));
  }

  #isReplaced(host: LabHost): boolean {
    const group = this.#groupOf(host);
    return group !== undefined && !REPLACING.some((process) => group.suspendedProcesses.includes(process));
  }
}
