import { execFileSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { allPids } from '../lab/processes.ts';

export interface ProcessUsage {
  cpuSeconds: number;
  residentMegabytes: number;
}

/**
 * CPU time so far and resident memory of all processes of the watchdog on one host.
 * @param hostPid the host's first process: the watchdog is searched in its pid namespace only.
 * @throws Error when there is none.
 */
export function readWatchdogUsage(hostPid: number): ProcessUsage {
  const namespace = readlinkSync(`/proc/${hostPid}/ns/pid`);
  const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));
  let found = 0;
  const usage = { cpuSeconds: 0, residentMegabytes: 0 };
  for (const pid of allPids()) {
    try {
      if (readlinkSync(`/proc/${pid}/ns/pid`) !== namespace) continue;
      if (!readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('watchdog.py')) continue;
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      // What follows the last parenthesis begins with field 3; utime and stime are fields 14 and 15.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      const residentKilobytes = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
      usage.cpuSeconds += (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
      usage.residentMegabytes += Number(residentKilobytes ?? 0) / 1000;
      found += 1;
    } catch {
      // It ended while it was looked at.
    }
  }
  if (found === 0) throw new Error('no watchdog runs on the host');
  return usage;
}
