import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askRedis } from '../../../../functions/engines/redis/connection.ts';
import { redisProbe } from '../../../../functions/engines/redis/probe.ts';
import { probe } from '../../../../functions/probe/probe.ts';
import { systemClock } from '../../../../functions/runtime/system-clock.ts';
import { waitFor } from '../../../../lab/shared/wait-for.ts';
import { redisCluster } from '../../../functions/domain/configuration-fixtures.ts';
import { logOf } from '../../../functions/domain/fixtures.ts';
import { targetNode } from '../../../functions/domain/target-fixtures.ts';
import { freePort } from '../../../functions/listening.ts';
import { memoryAuditLog } from '../../../functions/tables/memory-audit-log.ts';
import { captureProbe, longestOutageSeconds } from './wire.ts';

const ADDRESSES = ['127.0.1.1', '127.0.1.2', '127.0.1.3'];
const [master = ''] = ADDRESSES;
const servers: ChildProcess[] = [];
let directory: string;
let port: number;
let sentinelPort: number;

async function start(name: string, lines: string[], ...options: string[]): Promise<ChildProcess> {
  const folder = join(directory, name);
  await mkdir(folder);
  const file = join(folder, 'redis.conf');
  await writeFile(file, [...lines, `dir ${folder}`, 'protected-mode no', ''].join('\n'));
  const server = spawn('redis-server', [file, ...options], { stdio: ['ignore', 'ignore', 'inherit'] });
  servers.push(server);
  return server;
}

/** Three stores with a Sentinel each; the first one is the master. */
async function startShard(): Promise<ChildProcess> {
  const stores = await Promise.all(
    ADDRESSES.map((address) =>
      start(`store-${address}`, [
        ...[
          `bind ${address}`,
          `port ${port}`,
          `replica-announce-ip ${address}`,
          'save ""',
          'repl-diskless-sync-delay 0',
        ],
        ...(address === master ? [] : [`replicaof ${master} ${port}`]),
      ]),
    ),
  );
  await Promise.all(
    ADDRESSES.map((address) =>
      start(
        `sentinel-${address}`,
        [
          ...[`bind ${address}`, `port ${sentinelPort}`, `sentinel announce-ip ${address}`],
          `sentinel monitor shard-1 ${master} ${port} 2`,
          ...['sentinel down-after-milliseconds shard-1 2000', 'sentinel failover-timeout shard-1 10000'],
        ],
        '--sentinel',
      ),
    ),
  );
  for (const address of ADDRESSES) await waitFor(`Sentinel on ${address}`, 25, () => unreadyAt(address), 200);
  const [first] = stores;
  if (!first) throw new Error('no master');
  return first;
}

/** What the Sentinel there lacks before it could take part in a failover. */
async function unreadyAt(address: string): Promise<string | undefined> {
  const at = { addresses: [address], port: sentinelPort, tls: undefined, login: {} };
  try {
    return await askRedis(at, async (sentinel) => {
      const quorum = String(await sentinel.call('SENTINEL', 'CKQUORUM', 'shard-1'));
      const replicas = (await sentinel.call('SENTINEL', 'REPLICAS', 'shard-1')) as unknown[];
      return quorum.startsWith('OK 3') && replicas.length === 2 ? undefined : `${quorum}, ${replicas.length} replicas`;
    });
  } catch (error) {
    return String(error);
  }
}

/** Sentinel makes a replica of a master that comes back, seconds later. */
async function notReplicated(): Promise<string | undefined> {
  const infos = await Promise.all(
    ADDRESSES.map((address) =>
      askRedis({ addresses: [address], port, tls: undefined, login: {} }, (redis) => redis.info('replication')),
    ),
  );
  const masters = infos.filter((info) => info.includes('role:master'));
  const online = masters[0]?.match(/state=online/g)?.length;
  return masters.length === 1 && online === 2 ? undefined : `${masters.length} masters, ${online} replicas`;
}

describe('what the probe measures of a failover', () => {
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'holdfast-wire-'));
    [port, sentinelPort] = [await freePort(), await freePort()];
  });
  afterAll(async () => {
    for (const server of servers) server.kill('SIGKILL');
    await rm(directory, { recursive: true, force: true });
  });

  it('is the recovery time that the packets of its connections show, within 5 %, in phases as the Sentinels told them', async () => {
    const paused = await startShard();
    const capture = await captureProbe('exp', port);
    const members = ADDRESSES.map((address, index) => targetNode(index + 1, { addresses: [address], port }));
    const store = redisProbe({
      ...{ shard: 'shard-1', members, impacted: members.slice(0, 1), access: { credentials: {}, certificates: {} } },
      choices: {},
      cluster: redisCluster({ tier: 'staging', tls: undefined, port, redis: { sentinelPort } }),
    });
    const audit = memoryAuditLog({ entries: logOf('exp', ['ADMITTED']), clock: systemClock });
    const running = probe('exp', [{ cluster: 'redis-master', store }], {
      ...{ audit, clock: systemClock, remainingMs: () => 900_000, invocation: '1' },
      readTelemetry: async () => undefined,
    });
    const has = (type: string) => async () => (audit.entries.some((entry) => entry.type === type) ? undefined : type);
    await waitFor('PROBE_READY', 15, has('PROBE_READY'), 100);
    await audit.append('exp', 'INJECTING', { function: 'test' }, { commands: [], services: [] });
    paused.kill('SIGSTOP');
    await waitFor('PROMOTION_OBSERVED', 20, has('PROMOTION_OBSERVED'), 100);
    // Long enough for clients to have recovered for good; then the old master comes back.
    await systemClock.sleep(4000);
    paused.kill('SIGCONT');
    await waitFor('two replicas of one master', 40, notReplicated, 200);
    const recovery = { outcome: 'RECOVERED', verifiedAt: '', problems: [], impacted: [] } as const;
    await audit.append('exp', 'RECOVERY_VERIFIED', { function: 'test' }, { ...recovery, problems: [], impacted: [] });
    await running;
    const [measured] = audit.detailsOf('PROBE_MEASURED');
    const writes = await capture.stop();
    const rto = measured?.rtoSeconds ?? Number.NaN;
    const onWire = longestOutageSeconds(writes, Math.max(100, 1000 * (measured?.largestGapSeconds ?? 0)));
    expect(measured?.problems).toEqual([]);
    expect(writes.length).toBeGreaterThan(100);
    expect(Math.abs(rto - onWire) / onWire, `measured ${rto} s, on the wire ${onWire} s`).toBeLessThan(0.05);
    const phases = measured?.phases ?? [];
    expect(phases.map(({ phase }) => phase)).toEqual(['DETECTED', 'ELECTED', 'CLIENTS_RECOVERED', 'FULLY_REPLICATED']);
    expect(phases.map(({ event }) => event)).toEqual([
      expect.stringMatching(/^Sentinel of redis-node-\d: \+odown redis-node-1 #quorum \d\/2; \d+ ms before: .*\+sdown/),
      expect.stringMatching(/^Sentinel of redis-node-\d: \+switch-master redis-node-[23], was redis-node-1$/),
      expect.stringMatching(/operation of the probe/),
      expect.stringMatching(/2 copies/),
    ]);
    for (const { uncertaintyMs, phase } of phases) expect(uncertaintyMs, phase).toBeLessThan(2500);
    // Sentinels doubt a master that was silent for two seconds.
    expect(phases[0]?.secondsAfterFault).toBeGreaterThan(1);
    expect(phases[0]?.secondsAfterFault).toBeLessThan(6);
    expect(measured?.latency?.writeMs.p50).toBeLessThan(50);
    expect(measured?.staleReads).toBe(0);
  });
});
