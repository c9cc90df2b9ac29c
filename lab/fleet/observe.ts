import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** From this moment on (wall clock, resolution 50 ms) the store could be reached, or could not. */
export interface Transition {
  atEpochMs: number;
  reachable: boolean;
}

export interface Observer {
  readonly transitions: readonly Transition[];
  /**
   * The first time at or after `fromEpochMs` at which the store was (un)reachable; a state that already held then
   * counts as of `fromEpochMs`.
   * @throws Error when that was not seen within `timeoutMs`, or the observer died.
   */
  waitFor(reachable: boolean, fromEpochMs: number, timeoutMs: number): Promise<number>;
  stop(): void;
}

export interface ObservedTarget {
  /** A process of the host from which is looked, in the pid namespace of the caller. */
  fromPid: number;
  address: string;
  port: number;
  /** Sent on every connection; a live store answers it with anything. */
  question: string;
  /** Absent: in plain text. */
  tls?: { ca: string; cert: string; key: string; servername: string };
}

/**
 * Watches a store from inside another host's network, by connections of its own: it does not rely on what the control
 * plane reports. The small process it starts ends with the caller.
 */
export function observeReachability({ fromPid, address, port, question, tls }: ObservedTarget): Observer {
  const probe = [process.execPath, join(import.meta.dirname, 'observe-probe.ts'), address, String(port), question];
  const child = spawn('nsenter', ['--target', String(fromPid), '--net', '--', ...probe], {
    stdio: ['pipe', 'pipe', 'pipe'],
    // The key stays off the command line.
    env: { ...process.env, ...(tls ? { OBSERVE_TLS: JSON.stringify(tls) } : {}) },
  });
  const transitions: Transition[] = [];
  let death: string | undefined;
  let lastOutput = '';
  const listeners = new Set<() => void>();
  const notify = () => {
    for (const listener of listeners) listener();
  };
  createInterface({ input: child.stdout }).on('line', (line) => {
    transitions.push(JSON.parse(line) as Transition);
    notify();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    lastOutput = (lastOutput + chunk.toString('utf8')).slice(-500);
  });
  child.on('error', (error) => {
    death = error.message;
    notify();
  });
  child.on('exit', (code, signal) => {
    death ??= `the observer ended (${signal ?? code}): ${lastOutput}`;
    notify();
  });

  return {
    transitions,
    waitFor: (reachable, fromEpochMs, timeoutMs) =>
      new Promise((resolve, reject) => {
        const settle = (act: () => void) => {
          listeners.delete(look);
          clearTimeout(timer);
          act();
        };
        const look = () => {
          const seen = firstTime(transitions, reachable, fromEpochMs);
          if (seen !== undefined) settle(() => resolve(seen));
          else if (death !== undefined) settle(() => reject(new Error(death)));
        };
        const what = `${address}:${port} ${reachable ? 'reachable' : 'unreachable'}`;
        const timer = setTimeout(() => {
          settle(() => reject(new Error(`${what}: not seen within ${timeoutMs} ms: ${JSON.stringify(transitions)}`)));
        }, timeoutMs);
        listeners.add(look);
        look();
      }),
    stop: () => {
      child.stdin.end();
    },
  };
}

/** @returns the first time at or after `fromEpochMs` at which the wanted state held, as far as is known. */
export function firstTime(
  transitions: readonly Transition[],
  reachable: boolean,
  fromEpochMs: number,
): number | undefined {
  const before = transitions.findLast((transition) => transition.atEpochMs <= fromEpochMs);
  if (before?.reachable === reachable) return fromEpochMs;
  return transitions.find((transition) => transition.atEpochMs > fromEpochMs && transition.reachable === reachable)
    ?.atEpochMs;
}
