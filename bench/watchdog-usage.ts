import { closeSync, openSync, readdirSync, readFileSync, readlinkSync, readSync } from 'node:fs';
import { allPids } from '../lab/shared/processes.ts';

export interface ProcessUsage {
  cpuSeconds: number;
  /** Memory of both processes as if nothing else on the host shared any of it: each page frame counts once. */
  megabytes: number;
}

const PAGE_BYTES = 4096;
const BYTES_PER_MEGABYTE = 1e6;
/** Of an entry in /proc/PID/pagemap: the page is in memory; where. */
const PRESENT = 1n << 63n;
const FRAME = (1n << 55n) - 1n;

/**
 * CPU time so far and memory of the watchdog's processes (supervisor and runner together) on one host.
 * @param hostPid the host's first process: the watchdog is searched in its pid namespace only.
 * @throws Error when there is none.
 */
export function readWatchdogUsage(hostPid: number): ProcessUsage {
  const namespace = readlinkSync(`/proc/${hostPid}/ns/pid`);
  let found = 0;
  const frames = new Set<bigint>();
  let seconds = 0;
  for (const pid of allPids()) {
    try {
      if (readlinkSync(`/proc/${pid}/ns/pid`) !== namespace) continue;
      if (!readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('watchdog.py\0watch')) continue;
      for (const frame of pageFrames(pid)) frames.add(frame);
      seconds += cpuSeconds(pid);
      found += 1;
    } catch {
      // It ended while it was looked at.
    }
  }
  if (found === 0) throw new Error('no watchdog runs on the host');
  return { cpuSeconds: seconds, megabytes: (frames.size * PAGE_BYTES) / BYTES_PER_MEGABYTE };
}

/** The page frames that are in memory for a process. Only root is told where they are. */
function* pageFrames(pid: number): Generator<bigint> {
  const pagemap = openSync(`/proc/${pid}/pagemap`, 'r');
  try {
    for (const line of readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')) {
      const [, from, to] = /^([0-9a-f]+)-([0-9a-f]+) /.exec(line) ?? [];
      if (from === undefined || to === undefined || line.endsWith('[vsyscall]')) continue;
      const [first, end] = [Number.parseInt(from, 16) / PAGE_BYTES, Number.parseInt(to, 16) / PAGE_BYTES];
      const entries = Buffer.alloc((end - first) * 8);
      const read = readSync(pagemap, entries, 0, entries.length, first * 8);
      for (let at = 0; at < read; at += 8) {
        const entry = entries.readBigUInt64LE(at);
        if (entry & PRESENT && entry & FRAME) yield entry & FRAME;
      }
    }
  } finally {
    closeSync(pagemap);
  }
}

/** Of all threads, in nanoseconds of the scheduler: the clock ticks of `stat` are too coarse for a few per mille. */
export function cpuSeconds(pid: number): number {
  const threads = readdirSync(`/proc/${pid}/task`).map((thread) =>
    Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]),
  );
  return threads.reduce((sum, nanoseconds) => sum + nanoseconds, 0) / 1e9;
}
