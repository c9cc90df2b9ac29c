import type { LabHost } from '../../fleet/engine.ts';

/** EC2's names and codes. */
export const INSTANCE_STATE_CODES = { pending: 0, running: 16, terminated: 48, stopping: 64, stopped: 80 } as const;
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

/** The hosts as instances and their states. A failed stop or start leaves the instance `stopping` or `pending`. */
export class Instances {
  readonly hosts: readonly LabHost[];
  scalingGroups: readonly ScalingGroup[] = [];
  readonly #power: HostPower;
  readonly #states = new Map<string, InstanceState>();

  constructor(hosts: readonly LabHost[], power: HostPower) {
    this.hosts = hosts;
    this.#power = power;
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
    this.#states.set(host.instanceId, this.#isReplaced(host) ? 'terminated' : 'stopped');
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

  #groupOf({ name }: LabHost): ScalingGroup | undefined {
    return this.scalingGroups.find(({ hosts }) => hosts.includes(name));
  }

  #isReplaced(host: LabHost): boolean {
    const group = this.#groupOf(host);
    return group !== undefined && !REPLACING.some((process) => group.suspendedProcesses.includes(process));
  }
}
