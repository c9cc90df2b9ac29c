import { readdirSync, readFileSync } from 'node:fs';

/** A process that cannot be mistaken for a later one with the same pid. */
export interface ProcessIdentity {
  pid: number;
  /** Field 22 of /proc/PID/stat: clock ticks since boot. */
  startTime: string;
}

function statFields(pid: number): string[] | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The command name may hold spaces and parentheses; what follows its last one is regular and begins with field 3.
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return undefined;
  }
}

/** @returns undefined when there is no such process, or only its zombie. */
export function identify(pid: number): ProcessIdentity | undefined {
  const fields = statFields(pid);
  const [state, startTime] = [fields?.[0], fields?.[19]];
  if (startTime === undefined || state === 'Z' || state === 'X') return undefined;
  return { pid, startTime };
}

export function isRunning(identity: ProcessIdentity): boolean {
  return identify(identity.pid)?.startTime === identity.startTime;
}

/** Signals exactly this process. A pid that now belongs to another one is left alone. */
export function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals): void {
  if (!isRunning(identity)) return;
  try {
    process.kill(identity.pid, signal);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
}

function parentOf(pid: number): number | undefined {
  const parent = statFields(pid)?.[1];
  return parent === undefined ? undefined : Number(parent);
}

export function childrenOf(pid: number): number[] {
  return allPids().filter((candidate) => parentOf(candidate) === pid);
}

export function allPids(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function isDescendant(pid: number, ancestor: number): boolean {
  for (let current: number | undefined = pid; current !== undefined && current > 0; current = parentOf(current)) {
    if (current === ancestor) return true;
  }
  return false;
}

/**
 * Pids of `ancestor`'s descendants as seen from here, keyed by their pid one namespace further in.
 * `ancestor` is the first process of that inner pid namespace.
 */
export function outerPids(ancestor: number): Map<number, number> {
  const pids = new Map<number, number>();
  for (const pid of allPids()) {
    let status: string;
    try {
      status = readFileSync(`/proc/${pid}/status`, 'utf8');
    } catch {
      continue;
    }
    const inner = /^NSpid:\s+\d+\s+(\d+)/m.exec(status)?.[1];
    if (inner !== undefined && isDescendant(pid, ancestor)) pids.set(Number(inner), pid);
  }
  return pids;
}
