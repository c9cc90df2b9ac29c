import { readFileSync } from 'node:fs';
import { allPids } from '../lab/shared/processes.ts';
import { cpuSeconds } from './watchdog-usage.ts';

const SAMPLE_MS = 1_000;
/** Lambda's own variable, with the name that CloudFormation gives to the function of the construct `Probe`. */
const IS_PROBE = /(^|\0)AWS_LAMBDA_FUNCTION_NAME=[^\0]*Probe/;
/** An environment that waits for its next invocation takes less. Per cent of a core. */
const IDLE_PCT = 0.5;

/** Samples the CPU of the probe's function in the lab, each second, until `stop` is called. */
export function watchProbeUsage(): { stop(): number[] } {
  const isProbe = new Map<number, boolean>();
  const before = new Map<number, { seconds: number; atMs: number }>();
  const samples: number[] = [];
  const sample = (): void => {
    for (const pid of allPids()) {
      try {
        if (!isProbe.has(pid)) isProbe.set(pid, IS_PROBE.test(readFileSync(`/proc/${pid}/environ`, 'utf8')));
        if (!isProbe.get(pid)) continue;
        const now = { seconds: cpuSeconds(pid), atMs: performance.now() };
        const last = before.get(pid);
        if (last) samples.push(((now.seconds - last.seconds) / (now.atMs - last.atMs)) * 1e5);
        before.set(pid, now);
      } catch {
        // It ended while it was looked at.
      }
    }
  };
  const timer = setInterval(sample, SAMPLE_MS);
  return {
    /** @returns per cent of a core, one value for each second in which a probe worked */
    stop() {
      clearInterval(timer);
      return samples.filter((pct) => pct > IDLE_PCT);
    },
  };
}
