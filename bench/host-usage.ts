import { readFileSync, readlinkSync } from 'node:fs';
import { allPids } from '../lab/shared/processes.ts';
import { cpuSeconds } from './watchdog-usage.ts';

export interface HostUsage {
  cpuSeconds: number;
  /** Proportional set size: memory that processes share is divided among them. */
  megabytes: number;
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
  return { cpuSeconds: sum(pids.map(cpuSeconds)), megabytes: (sum(kilobytes) * 1024) / 1e6 };
}
