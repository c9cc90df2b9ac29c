import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ApiClient, createApiClient, KILL_SWITCH_PATH } from '../cli/api-client.ts';
import { observeRedis } from '../lab/fleet/redis/observe.ts';
import { labDirectory } from '../lab/runtime/directory.ts';
import { connectionOf, type Lab, readLab } from '../lab/runtime/lab-file.ts';
import { findSupervisor, startLab, stopLab } from '../lab/runtime/lifecycle.ts';
import { CHECKOUT, LAB_FILES } from '../lab/shared/files.ts';
import { faultOnFleet } from './fleet-fault.ts';
import { readProvenance } from './provenance.ts';
import { renderKillSwitch } from './render-kill-switch.ts';
import { KILL_SWITCH, withSection } from './sections.ts';

/**
 * `npm run bench:kill-switch`: a fault on every host of the fleet, the kill switch through the API, and the time until a
 * connection from another host goes through again on each. As often as RUNS says, in a lab that is up or one of its own.
 * Writes its section of docs/benchmarks.md when all runs were measured.
 */
const DEFAULT_RUNS = 100;
const HOSTS = 12;
const APPLIED_WITHIN_MS = 20_000;
const LIFTED_WITHIN_MS = 15_000;
const DOCUMENT = join(CHECKOUT, 'docs/benchmarks.md');
const say = (text: string): void => void process.stderr.write(`${text}\n`);

const provenance = readProvenance();
const runs = runsFrom(process.env.RUNS);
const directory = labDirectory();
const isOurs = findSupervisor(directory) === undefined;
if (isOurs) await startLab({ directory, scope: 'all', endsWithParent: true, onProgress: say });
try {
  const lab = readLab(directory);
  const client = createApiClient(connectionOf(lab));
  const measured: number[][] = [];
  const failures: string[] = [];
  for (let run = 1; run <= runs; run += 1) {
    try {
      measured.push(await measureOnce(lab, client));
      say(`${run}/${runs}: last of ${HOSTS} hosts after ${Math.max(...(measured.at(-1) ?? [])).toFixed(3)} s`);
    } catch (error) {
      failures.push(`${run}/${runs}: ${error instanceof Error ? error.message : String(error)}`);
      say(failures.at(-1) ?? '');
    }
  }
  client.close();
  if (measured.length > 0) {
    const section = renderKillSwitch({ ...provenance, hosts: HOSTS, measured });
    process.stdout.write(section);
    if (failures.length === 0)
      writeFileSync(DOCUMENT, withSection(readFileSync(DOCUMENT, 'utf8'), KILL_SWITCH, section));
  }
  process.exitCode = failures.length > 0 ? 1 : 0;
} finally {
  if (isOurs) await stopLab(directory);
}

function runsFrom(text: string | undefined): number {
  if (text === undefined || text === '') return DEFAULT_RUNS;
  if (/^[1-9]\d{0,2}$/.test(text)) return Number(text);
  throw new Error(`RUNS: ${text} is not a whole number from 1 to 999`);
}

/** One run, after which the switch is armed again whatever became of it. */
async function measureOnce(lab: Lab, client: ApiClient): Promise<number[]> {
  const result = await measure(lab, client).then(
    (lifted) => ({ lifted }),
    (error: unknown) => ({ error }),
  );
  const { status, body } = await client.call('DELETE', `${KILL_SWITCH_PATH}?reason=measured`);
  if ('error' in result) throw result.error;
  if (status !== 200) throw new Error(`re-arm: ${status} ${JSON.stringify(body)}`);
  return result.lifted;
}

/** @returns seconds from the request to the lifted fault, one a host */
async function measure(lab: Lab, client: ApiClient): Promise<number[]> {
  const peers = peersOf(lab);
  // From the peer's network, which the fault of its own host does not cut off from this one.
  const observers = [...peers].map(([host, peer]) => observeRedis({ fromPid: peer.pid, address: host.dataAddress }));
  const startedMs = Date.now();
  let fault: Awaited<ReturnType<typeof faultOnFleet>> | undefined;
  try {
    await Promise.all(observers.map((observer) => observer.waitFor(true, startedMs, 5_000)));
    fault = await faultOnFleet(lab, leaseTableOf(directory), `bench_kill_${startedMs.toString(36)}`, peers);
    await Promise.all(observers.map((observer) => observer.waitFor(false, startedMs, APPLIED_WITHIN_MS)));
    const engagedMs = Date.now();
    const engaging = client.call('POST', KILL_SWITCH_PATH, JSON.stringify({ reason: 'measured' }));
    const lifted = await Promise.all(
      observers.map(async (observer) => (await observer.waitFor(true, engagedMs, LIFTED_WITHIN_MS)) - engagedMs),
    );
    const { status, body } = await engaging;
    if (status !== 200) throw new Error(`engage: ${status} ${JSON.stringify(body)}`);
    return lifted.map((ms) => ms / 1000);
  } finally {
    for (const observer of observers) observer.stop();
    await fault?.stop();
  }
}

/** Each host and one of another shard, no two of which have each other: what one's fault cuts, another's does not. */
function peersOf({ hosts }: Lab): Map<Lab['hosts'][number], Lab['hosts'][number]> {
  const fleet = hosts.slice(0, HOSTS);
  if (fleet.length < HOSTS) throw new Error(`the lab has ${fleet.length} hosts, ${HOSTS} are needed`);
  const shards = [...new Set(fleet.map(({ shard }) => shard))];
  const byTurns = fleet.toSorted(
    (a, b) => placeIn(fleet, a) - placeIn(fleet, b) || shards.indexOf(a.shard) - shards.indexOf(b.shard),
  );
  return new Map(byTurns.map((host, index) => [host, byTurns[(index + 1) % byTurns.length] ?? host]));
}

/** Which of its shard it is. */
function placeIn(fleet: Lab['hosts'], host: Lab['hosts'][number]): number {
  return fleet.filter(({ shard }) => shard === host.shard).indexOf(host);
}

function leaseTableOf(labDirectoryPath: string): string {
  const { tables } = JSON.parse(readFileSync(join(labDirectoryPath, LAB_FILES.awsReady), 'utf8')) as {
    tables: string[];
  };
  const name = tables.find((table) => table.includes('LeaseTable'));
  if (!name) throw new Error(`no lease table among ${tables}`);
  return name;
}
