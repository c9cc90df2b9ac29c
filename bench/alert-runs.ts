import { execFile } from 'node:child_process';
import { request } from 'node:http';
import { promisify } from 'node:util';
import { z } from 'zod';
import { alertNameOf, STORES_DOWN } from '../functions/domain/alert-rules.ts';
import { commandOn } from '../lab/cli/exec.ts';
import { signalStore } from '../lab/fleet/redis/signal-store.ts';
import type { Lab } from '../lab/runtime/lab-file.ts';
import { waitFor } from '../lab/shared/wait-for.ts';
import { CANARY_SHARD } from '../lab/traffic/routing.ts';
import { type Bench, type Running, withPartitionedMaster } from './scenario.ts';

const run = promisify(execFile);
/** Longer than the rarest evaluation and all that follows. */
const LIFTED_MS = 60_000;
const alertsSchema = z.object({
  data: z.object({ alerts: z.array(z.object({ labels: z.record(z.string(), z.string()), activeAt: z.string() })) }),
});

/** Seconds. */
export interface AlertRun {
  causeToAlert: number;
  alertToLifted: number;
}

/** A replica of a shard without a fault is stopped, beside the node that is cut off: the guard does not see it, the deployed rule does. */
export function measureAmp(bench: Bench): Promise<AlertRun> {
  return withPartitionedMaster(bench, CANARY_SHARD, 90, async ({ lifted }) => {
    const shard = bench.lab.hosts.at(-1)?.shard;
    const node = bench.lab.hosts.find((host) => host.shard === shard)?.name ?? '';
    const causedMs = Date.now();
    try {
      await onHost(bench.lab, node, signalStore('STOP'));
      const activeMs = await activeSince(bench.lab, alertNameOf(STORES_DOWN), causedMs);
      return secondsOf(causedMs, activeMs, await lifted(causedMs, LIFTED_MS));
    } finally {
      await onHost(bench.lab, node, signalStore('CONT'));
    }
  });
}

/** Requests to the shard fail, as the experiment wants; the team's own rule alerts of it, above what this run tolerates. */
export function measureAlertmanager(bench: Bench): Promise<AlertRun> {
  const measure = async ({ activeAtEpochMs, lifted }: Running) => {
    const liftedMs = lifted(activeAtEpochMs, LIFTED_MS);
    const activeMs = await activeSince(bench.lab, 'ShardFailing', activeAtEpochMs);
    return secondsOf(activeAtEpochMs, activeMs, await liftedMs);
  };
  return withPartitionedMaster(bench, CANARY_SHARD, 90, measure, 'INFO');
}

/** A configured alarm of CloudWatch goes to ALARM. */
export function measureCloudWatch(bench: Bench): Promise<AlertRun> {
  return withPartitionedMaster(bench, CANARY_SHARD, 90, async ({ lifted }) => {
    const set = (state: string) => post(bench.lab.controlSocket, '/alarms', { name: 'checkout-availability', state });
    const causedMs = Date.now();
    try {
      await set('ALARM');
      return secondsOf(causedMs, causedMs, await lifted(causedMs, LIFTED_MS));
    } finally {
      await set('OK');
    }
  });
}

function secondsOf(causedMs: number, activeMs: number, liftedMs: number): AlertRun {
  return { causeToAlert: (activeMs - causedMs) / 1000, alertToLifted: (liftedMs - activeMs) / 1000 };
}

/** When Prometheus made it active, by its own clock. @throws Error when it did not in time */
async function activeSince(lab: Lab, alertname: string, fromMs: number): Promise<number> {
  let activeMs = Number.NaN;
  await waitFor(`${alertname} fires`, LIFTED_MS / 1000, async () => {
    const response = await fetch(new URL('/api/v1/alerts', lab.prometheusUrl));
    const { data } = alertsSchema.parse(await response.json());
    const times = data.alerts
      .filter(({ labels }) => labels.alertname === alertname)
      .map(({ activeAt }) => Date.parse(activeAt));
    activeMs = Math.min(...times.filter((time) => time >= fromMs - 1000));
    return Number.isFinite(activeMs) ? undefined : 'it does not';
  });
  return activeMs;
}

async function onHost(lab: Lab, name: string, argv: string[]): Promise<void> {
  const [program = '', ...rest] = commandOn(lab, name, argv);
  await run(program, rest);
}

function post(socketPath: string, path: string, body: object): Promise<void> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath, path, method: 'POST' }, (response) => {
      response.resume();
      if (response.statusCode === 200) resolve();
      else reject(new Error(`POST ${path}: ${response.statusCode}`));
    });
    outgoing.on('error', reject);
    outgoing.end(JSON.stringify(body));
  });
}
