import { setTimeout as delay } from 'node:timers/promises';
import { SHARDS } from '../lab/fleet/fleet.ts';
import { identify, outerPids, signalProcess } from '../lab/shared/processes.ts';
import { CANARY_SHARD } from '../lab/traffic/routing.ts';
import { failedBetween, firstBadScrape, lastErrorBetween } from './breach.ts';
import { readProcesses } from './lab-control.ts';
import { type Bench, withPartitionedMaster } from './scenario.ts';
import { readWatchdogUsage } from './watchdog-usage.ts';

const TTL_SECONDS = 20;
const WATCHDOG_SAMPLE_MS = 8_000;
/** Far longer than anything promised: a fault that outlives its promise must be measured, not cut off. */
const PATIENCE_MS = 60_000;
/** What customers feel goes on after the lift, a fence for instance. */
const AFTERMATH_MS = 15_000;

export interface TtlRun {
  postToActiveSeconds: number;
  /** Observed life beyond the TTL; the TTL counts from the host's own `applied`, up to a sample before we saw it. */
  overshootSeconds: number;
  watchdogCpuPct: number;
  /** As if nothing else on the host shared any of it. */
  watchdogMegabytes: number;
}

/** One undisturbed run on the canary shard. */
export function measureTtl(bench: Bench): Promise<TtlRun> {
  return withPartitionedMaster(bench, CANARY_SHARD, TTL_SECONDS, async (running) => {
    const host = bench.lab.hosts.find(({ dataAddress }) => dataAddress === running.address);
    if (!host) throw new Error(`${running.address} is not in lab.json`);
    const before = readWatchdogUsage(host.pid);
    const beforeMs = performance.now();
    await delay(WATCHDOG_SAMPLE_MS);
    const after = readWatchdogUsage(host.pid);
    const elapsedSeconds = (performance.now() - beforeMs) / 1000;
    const liftedAt = await running.lifted(running.activeAtEpochMs + 1, TTL_SECONDS * 1000 + PATIENCE_MS);
    return {
      postToActiveSeconds: (running.activeAtEpochMs - running.postedAtEpochMs) / 1000,
      overshootSeconds: (liftedAt - running.activeAtEpochMs) / 1000 - TTL_SECONDS,
      watchdogCpuPct: (100 * (after.cpuSeconds - before.cpuSeconds)) / elapsedSeconds,
      watchdogMegabytes: after.megabytes,
    };
  });
}

export interface AbortRun {
  cutToLiftedSeconds: number;
  badScrapeToLiftedSeconds: number;
  /** Requests that the gateways answered with an error, from the cut until some time after the lift. */
  failedRequests: number;
  /** From the cut to the last error that a gateway counted; the resolution is a scrape. */
  cutToLastErrorSeconds: number;
}

/** @throws Error when it took longer than the dry run had said that it can at worst. */
function within(seconds: number, worstSeconds: number): number {
  if (seconds <= worstSeconds) return seconds;
  throw new Error(`lifted after ${seconds} s, and the dry run had said ${worstSeconds} s at worst`);
}

/** A production shard: the guard must abort. */
export function measureAbort(bench: Bench, repetition: number): Promise<AbortRun> {
  const busy = SHARDS.filter((shard) => shard !== CANARY_SHARD);
  const shard = busy[repetition % busy.length] ?? CANARY_SHARD;
  return withPartitionedMaster(bench, shard, 60, async (running) => {
    const liftedAt = await running.lifted(running.activeAtEpochMs + 1, 60_000 + PATIENCE_MS);
    const badAt = await firstBadScrape(bench.lab.prometheusUrl, running.activeAtEpochMs, liftedAt + 1_000);
    const badScrapeToLiftedSeconds = within((liftedAt - badAt) / 1000, running.worstCase.abortSeconds);
    await delay(AFTERMATH_MS);
    const during = [bench.lab.prometheusUrl, running.activeAtEpochMs, Date.now()] as const;
    const lastErrorAt = (await lastErrorBetween(...during)) ?? Number.NaN;
    return {
      cutToLiftedSeconds: (liftedAt - running.activeAtEpochMs) / 1000,
      badScrapeToLiftedSeconds,
      failedRequests: await failedBetween(...during),
      cutToLastErrorSeconds: (lastErrorAt - running.activeAtEpochMs) / 1000,
    };
  });
}

/**
 * A signal to the function that renews the lease. SIGKILL is noticed by the state machine as well, whose rollback comes
 * first; SIGSTOP is noticed by nobody, so that the host's lease alone lifts the fault.
 * @returns seconds from the signal to the fault being lifted. It also throws what `within` does.
 */
export function measureGuardLost(bench: Bench, signal: 'SIGKILL' | 'SIGSTOP'): Promise<number> {
  return withPartitionedMaster(bench, CANARY_SHARD, 60, async (running) => {
    const processes = await readProcesses(bench.lab.controlSocket);
    const guards = processes.filter(({ function: name, state }) => /guard/i.test(name) && state === 'busy');
    if (guards.length !== 1) throw new Error(`${guards.length} busy guard processes, there must be one`);
    const inside = bench.lab.pids.inside;
    const pid = inside === undefined ? undefined : outerPids(inside).get(guards[0]?.pid ?? -1);
    const guard = pid === undefined ? undefined : identify(pid);
    if (guard === undefined) throw new Error('the guard process was not found outside the lab');
    const lostAt = Date.now();
    signalProcess(guard, signal);
    try {
      const seconds = ((await running.lifted(lostAt, PATIENCE_MS)) - lostAt) / 1000;
      return within(seconds, running.worstCase.leaseLossSeconds);
    } finally {
      signalProcess(guard, 'SIGCONT');
    }
  });
}
