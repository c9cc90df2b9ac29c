import { readFileSync, readlinkSync } from 'node:fs';
import { allPids } from '../lab/shared/processes.ts';

export interface HostUsage {
  cpuSeconds: number;
  /** Proportional set size: memory that processes share is divided among them. */
  megabytes: number;
}

const TICKS_PER_SECOND = 100;

/** Of threads that have ended too: a JVM ends some of those that it has started with. */
export function cpuSecondsOf(stat: string): number {
  const [user, system] = stat
    .slice(stat.lastIndexOf(')') + 2)
    .split(' ')
    .slice(11, 13)
    .map(Number);
  return ((user ?? Number.NaN) + (system ?? Number.NaN)) / TICKS_PER_SECOND;
}

/**
 * CPU time so far and memory of everything on one host but its first process, which is the lab's.
 * @param hostPid that first process
 * @throws Error when nothing else runs there
 */
export function readHostUsage(hostPid: number): HostUsage {
  const namespace = readlinkSync(`/proc/${hostPid}/ns/pid`);
  const isThere = (pid: number): boolean => {
    try {
      return pid !== hostPid && readlinkSync(`/proc/${pid}/ns/pid`) === namespace;
    } catch {
      return false;
    }
  };
  const pids = allPids().filter(isThere);
  if (pids.length === 0) throw new Error('nothing runs on the host');
  const kilobytes = pids.map((pid) =>
    Number(/^Pss: +(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8'))?.[1]),
  );
  const sum = (values: number[]) => values.reduce((total, value) => total + value, 0);
  return {
    cpuSeconds: sum(pids.map((pid) => cpuSecondsOf(readFileSync(`/proc/${pid}/stat`, 'utf8')))),
    megabytes: (sum(kilobytes) * 1024) / 1e6,
  };
}
