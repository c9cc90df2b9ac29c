import type { LabHost } from '../../fleet/engine.ts';

/** EC2's names and codes. */
export const INSTANCE_STATE_CODES = { pending: 0, running: 16, stopping: 64, stopped: 80 } as const;
export type InstanceState = keyof typeof INSTANCE_STATE_CODES;

/** What really happens to a host of the lab. Both resolve when it has happened. */
export interface HostPower {
  stop(host: LabHost): Promise<void>;
  start(host: LabHost): Promise<void>;
}

/** The hosts as instances and their states. A failed stop or start leaves the instance `stopping` or `pending`. */
export class Instances {
  readonly hosts: readonly LabHost[];
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

  async stop(host: LabHost): Promise<void> {
    if (this.stateOf(host) !== 'running') return;
    this.#states.set(host.instanceId, 'stopping');
    await this.#power.stop(host);
    this.#states.set(host.instanceId, 'stopped');
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
    await this.#power.stop(host);
    await this.#power.start(host);
  }
}
