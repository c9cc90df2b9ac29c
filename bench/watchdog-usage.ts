import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { allPids } from '../lab/shared/processes.ts';

export interface ProcessUsage {
  cpuSeconds: number;
  /** Proportional set size: memory that several processes share counts once in all. */
  proportionalMegabytes: number;
}

const BYTES_PER_KIBIBYTE = 1024;
const BYTES_PER_MEGABYTE = 1e6;

/**
 * CPU time so far and memory of the watchdog's processes (supervisor and runner together) on one host.
 * @param hostPid the host's first process: the watchdog is searched in its pid namespace only.
 * @throws Error when there is none.
 */
export function readWatchdogUsage(hostPid: number): ProcessUsage {
  const namespace = readlinkSync(`/proc/${hostPid}/ns/pid`);
  let found = 0;
  const usage = { cpuSeconds: 0, proportionalMegabytes: 0 };
  for (const pid of allPids()) {
    try {
      if (readlinkSync(`/proc/${pid}/ns/pid`) !== namespace) continue;
      if (!readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('watchdog.py\0watch')) continue;
      const memory = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
      usage.proportionalMegabytes += proportionalMegabytes(memory);
      usage.cpuSeconds += cpuSeconds(pid);
      found += 1;
    } catch {
      // It ended while it was looked at.
    }
  }
  if (found === 0) throw new Error('no watchdog runs on the host');
  return usage;
}

function proportionalMegabytes(smaps: string): number {
  const kibibytes = /^Pss:\s+(\d+)/m.exec(smaps)?.[1];
  return (Number(kibibytes ?? 0) * BYTES_PER_KIBIBYTE) / BYTES_PER_MEGABYTE;
}

/** Of all threads, in nanoseconds of the scheduler: the clock ticks of `stat` are too coarse for a few per mille. */
function cpuSeconds(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`).map((thread) =>
    Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]),
  );
  return threads.reduce((sum, nanoseconds) => sum + nanoseconds, 0) / 1e9;
}
