import type { HostScript } from './ssm-document.ts';

export type CommandStatus = 'Pending' | 'InProgress' | 'Cancelling' | 'Success' | 'Failed' | 'TimedOut' | 'Cancelled';

/** What a host's agent reports. */
export interface CommandReport {
  commandId: string;
  status: CommandStatus;
  statusDetails: string;
  responseCode: number;
  stdout: string;
  stderr: string;
}

/** One command on one host. */
export interface Invocation extends Omit<CommandReport, 'commandId'> {
  commandId: string;
  instanceId: string;
  documentName: string;
  comment: string;
  requestedMs: number;
  startedMs?: number;
  endedMs?: number;
  work: HostScript;
}

const FINAL: readonly CommandStatus[] = ['Success', 'Failed', 'TimedOut', 'Cancelled'];
export const isFinal = (status: CommandStatus): boolean => FINAL.includes(status);
/** A host that died while running is given up this long after its execution timeout. */
const LOST_HOST_GRACE_MS = 30_000;

/** The state of all commands, between the API on one side and the hosts' agents on the other. */
export class CommandBook {
  readonly invocations: Invocation[] = [];
  readonly #wake = new Map<string, () => void>();
  readonly #timers = new Map<Invocation, NodeJS.Timeout>();

  add(invocation: Invocation, deliverySeconds: number): void {
    this.invocations.push(invocation);
    this.#expire(invocation, deliverySeconds * 1000, 'DeliveryTimedOut');
    this.#wake.get(invocation.instanceId)?.();
  }

  find(commandId: string, instanceId: string): Invocation | undefined {
    return this.invocations.find((entry) => entry.commandId === commandId && entry.instanceId === instanceId);
  }

  /** Not yet delivered: cancelled at once. Running: the agent is told to kill. */
  cancel(invocation: Invocation): void {
    if (invocation.status === 'Pending') this.#end(invocation, { status: 'Cancelled', statusDetails: 'Cancelled' });
    else if (!isFinal(invocation.status))
      Object.assign(invocation, { status: 'Cancelling', statusDetails: 'Cancelling' });
    this.#wake.get(invocation.instanceId)?.();
  }

  report(instanceId: string, report: CommandReport): void {
    const invocation = this.find(report.commandId, instanceId);
    if (invocation === undefined || isFinal(invocation.status)) return;
    if (report.status === 'InProgress') {
      if (invocation.status === 'Pending')
        Object.assign(invocation, { status: 'InProgress', statusDetails: 'InProgress' });
      invocation.startedMs ??= Date.now();
      this.#expire(invocation, invocation.work.executionSeconds * 1000 + LOST_HOST_GRACE_MS, 'ExecutionTimedOut');
    } else this.#end(invocation, report);
  }

  /**
   * Long poll of an agent: resolves as soon as there is something that the agent does not have yet.
   * @param has ids of commands and cancels that the agent has received: a lost answer is delivered again, no other.
   */
  async poll(
    instanceId: string,
    has: { known: readonly string[]; cancelled: readonly string[] },
    waitMs: number,
    signal: AbortSignal,
  ): Promise<{ commands: Invocation[]; cancels: string[] }> {
    const undelivered = () => {
      const own = this.invocations.filter((entry) => entry.instanceId === instanceId);
      return {
        commands: own.filter((entry) => entry.status === 'Pending' && !has.known.includes(entry.commandId)),
        cancels: own
          .filter((entry) => has.known.includes(entry.commandId) && !has.cancelled.includes(entry.commandId))
          .filter(
            (entry) => entry.status === 'Cancelling' || entry.status === 'Cancelled' || entry.status === 'TimedOut',
          )
          .map((entry) => entry.commandId),
      };
    };
    const deadlineMs = Date.now() + waitMs;
    for (;;) {
      const { commands, cancels } = undelivered();
      const leftMs = deadlineMs - Date.now();
      if (commands.length > 0 || cancels.length > 0 || leftMs <= 0 || signal.aborted) return { commands, cancels };
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs);
        signal.addEventListener('abort', () => resolve(), { once: true });
        this.#wake.set(instanceId, () => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  stop(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
    for (const wake of this.#wake.values()) wake();
  }

  #expire(invocation: Invocation, afterMs: number, statusDetails: string): void {
    clearTimeout(this.#timers.get(invocation));
    const timer = setTimeout(() => this.#end(invocation, { status: 'TimedOut', statusDetails }), afterMs);
    this.#timers.set(invocation, timer);
  }

  #end(invocation: Invocation, result: Partial<CommandReport>): void {
    clearTimeout(this.#timers.get(invocation));
    this.#timers.delete(invocation);
    Object.assign(invocation, result, { endedMs: Date.now() });
  }
}
