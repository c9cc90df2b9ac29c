import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { SentinelScript } from './sentinel-server.ts';
import { ADDRESS, FOREIGN_RULES, PORT, until } from './wire.ts';
import { inWorld, type World } from './world.ts';

/** The Sentinel on the host itself, and the one on the peer. */
const OWN = { fence: 'redis', fenceMasterName: 'shard-1', fenceSentinels: `${ADDRESS.host}:26379` };
const PEERS = { ...OWN, fenceSentinels: `${ADDRESS.peer}:26379` };
/** A Sentinel that nobody answers for: what cannot be asked leaves the role in doubt. */
const IN_DOUBT = { ...OWN, fenceSentinels: `${ADDRESS.host}:26379,10.99.0.9:26379` };
const CLEAN: SentinelScript = { ip: ADDRESS.host, flags: 'master', lastOkPingReplyMs: 10 };

function setSentinel(world: World, script: SentinelScript): void {
  writeFileSync(join(world.directory, 'sentinel.new'), JSON.stringify(script));
  renameSync(join(world.directory, 'sentinel.new'), join(world.directory, 'sentinel.json'));
}

async function startScriptedSentinel(world: World, script: SentinelScript): Promise<void> {
  setSentinel(world, script);
  const server = new URL('sentinel-server.ts', import.meta.url).pathname;
  const sentinel = world.spawn(['ip', 'netns', 'exec', 'far', process.execPath, server, world.directory]);
  await new Promise<void>((resolve) => sentinel.stdout?.once('data', () => resolve()));
}

/** Waits until the scripted Sentinel was asked so many times more. */
async function asked(world: World, times: number): Promise<void> {
  const count = async () => (await world.exec(['cat', '/run/files/sentinel-asked'])).out.replace(/[^.]/g, '').length;
  const before = await count();
  await until('the questions', 10, async () => (await count()) >= before + times);
}

async function applied(world: World, changes: Record<string, string>): Promise<void> {
  expect(await world.inject(changes)).toMatchObject({ code: 0, state: 'APPLIED' });
  expect(await world.connects('peer')).toBe(false);
}

/** A client that connects again and again for so long. */
async function countConnections(world: World, seconds: number): Promise<{ made: number; failed: number }> {
  const code = `import json, socket, time
made = failed = 0
until = time.monotonic() + ${seconds}
while time.monotonic() < until:
    try:
        with socket.socket() as s:
            s.settimeout(0.3); s.bind(("${ADDRESS.client}", 0)); s.connect(("${ADDRESS.host}", ${PORT})); made += 1
    except OSError: failed += 1
    time.sleep(0.01)
print(json.dumps({"made": made, "failed": failed}))`;
  return JSON.parse((await world.far(['python3', '-c', code])).out);
}

/** A host with a real Redis instead of the listener that plays the store. */
function inRedisWorld(test: (world: World) => Promise<void>): Promise<void> {
  return inWorld(
    'network-partition',
    async (world) => {
      await world.startRedis();
      await test(world);
    },
    false,
  );
}

/** And with a Sentinel of its own. */
function inSentinelWorld(test: (world: World) => Promise<void>): Promise<void> {
  return inRedisWorld(async (world) => {
    await world.startSentinel();
    await test(world);
  });
}

describe.concurrent('the fence stands until nobody can take the node for master by mistake', () => {
  it('keeps clients out in the middle of a failover, although the Sentinels still name the node', () =>
    inRedisWorld(async (world) => {
      await startScriptedSentinel(world, { ...CLEAN, flags: 'master,o_down,failover_in_progress' });
      await applied(world, PEERS);
      const answer = world.rollBack('revert');
      await until('the lifting', 5, () => world.connects('peer'));
      await asked(world, 15);
      expect(await world.connects('client')).toBe(false);
      // Its flags are clean, but it has not heard the node since the fault was lifted.
      setSentinel(world, { ...CLEAN, lastOkPingReplyMs: 60_000 });
      await asked(world, 15);
      expect(await world.connects('client')).toBe(false);
      setSentinel(world, CLEAN);
      expect(await answer).toMatchObject({ code: 0, state: 'REVERTED', fence: { outcome: 'SETTLED' } });
      expect(await world.connects('client')).toBe(true);
    }));

  it('begins to wait anew when a Sentinel falls back into doubt', () =>
    inRedisWorld(async (world) => {
      await startScriptedSentinel(world, CLEAN);
      await applied(world, PEERS);
      setSentinel(world, { ...CLEAN, flags: 'master,s_down' });
      const answer = world.rollBack('revert');
      await until('the lifting', 5, () => world.connects('peer'));
      setSentinel(world, CLEAN);
      await asked(world, 5);
      setSentinel(world, { ...CLEAN, flags: 'master,s_down' });
      await asked(world, 20);
      expect(await world.connects('peer')).toBe(true);
      expect(await world.connects('client')).toBe(false);
      setSentinel(world, CLEAN);
      expect(await answer).toMatchObject({ state: 'REVERTED', fence: { outcome: 'SETTLED' } });
    }));

  for (const signal of ['KILL', 'STOP'] as const) {
    it(`falls at the deadline, also when the process that waits for the store gets SIG${signal}`, () =>
      inRedisWorld(async (world) => {
        await applied(world, { ...PEERS, ttlSeconds: '3' });
        await until('the lifting', 10, () => world.connects('peer'));
        const liftedMs = Date.now();
        const waiting = await until('the one who waits', 5, async () => {
          const [pid] = (await world.exec(['cat', `/run/holdfast/lock.settling.${world.faultId}`])).out.split(' ');
          return pid && /^\d+$/.test(pid) && pid;
        });
        expect(Object.values(await world.pair())).toContain(waiting);
        await world.signal(signal, waiting);
        expect(await world.connects('client')).toBe(false);
        await until('the end of the fence', 20, () => world.connects('client'));
        expect(Date.now() - liftedMs).toBeGreaterThan(13_000);
        expect(Date.now() - liftedMs).toBeLessThan(18_000);
        expect(await world.reverted(5)).toMatchObject({
          fence: { outcome: 'DEADLINE' },
          leftovers: [],
          revertReason: 'TTL',
        });
      }));
  }
});

describe.concurrent('a master whose role was never in doubt keeps its clients', () => {
  it('lets clients in with the peers when every Sentinel says so just before, and watches them until they have heard it', () =>
    inRedisWorld(async (world) => {
      await startScriptedSentinel(world, CLEAN);
      await applied(world, { ...PEERS, scope: 'peers' });
      expect(await world.connects('client')).toBe(true);
      const connections = countConnections(world, 3);
      const answer = await world.rollBack('revert');
      expect(answer).toMatchObject({ code: 0, state: 'REVERTED', fence: { outcome: 'NOT_NEEDED' }, leftovers: [] });
      expect(answer.fence).toEqual({ outcome: 'NOT_NEEDED' });
      // Not one of the connections of a client that came every few milliseconds was kept away.
      expect((await connections).failed).toBe(0);
      expect((await connections).made).toBeGreaterThan(20);
      expect(await world.filter()).toEqual(FOREIGN_RULES);
    }));

  for (const [what, script] of [
    ['has a doubt', { ...CLEAN, flags: 'master,s_down' }],
    ['has seen a failover since', { ...CLEAN, configEpoch: 1 }],
    ['names another master', { ...CLEAN, ip: ADDRESS.peer }],
  ] as const)
    it(`keeps clients out when a Sentinel ${what}`, () =>
      inRedisWorld(async (world) => {
        await startScriptedSentinel(world, CLEAN);
        await applied(world, PEERS);
        setSentinel(world, script);
        const answer = world.rollBack('revert');
        await until('the lifting', 5, () => world.connects('peer'));
        expect(await world.connects('client')).toBe(false);
        setSentinel(world, CLEAN);
        await world.redis('REPLICAOF', ADDRESS.peer, '6379');
        expect(await answer).toMatchObject({ state: 'REVERTED', fence: { outcome: 'SETTLED' }, leftovers: [] });
      }));

  it('keeps clients out although somebody has flushed the rules that were armed for it', () =>
    inRedisWorld(async (world) => {
      await startScriptedSentinel(world, CLEAN);
      await applied(world, PEERS);
      setSentinel(world, { ...CLEAN, flags: 'master,s_down' });
      await world.exec(['iptables', '-F']);
      const answer = world.rollBack('revert');
      await until('the fence', 3, async () => !(await world.connects('client')));
      expect(await world.connects('peer')).toBe(true);
      setSentinel(world, CLEAN);
      expect(await answer).toMatchObject({ state: 'REVERTED', fence: { outcome: 'SETTLED' } });
    }));

  it('keeps clients out when a Sentinel does not answer', () =>
    inSentinelWorld(async (world) => {
      await applied(world, IN_DOUBT);
      const answer = world.rollBack('revert');
      await until('the lifting', 5, () => world.connects('peer'));
      expect(await world.connects('client')).toBe(false);
      await world.redis('REPLICAOF', ADDRESS.peer, '6379');
      expect(await answer).toMatchObject({ state: 'REVERTED', fence: { outcome: 'SETTLED' }, leftovers: [] });
    }));

  for (const [what, script] of [
    ['as many Sentinels as the quorum find the node down', { flags: 'master,s_down' }],
    ['a failover has begun', { flags: 'master,o_down', quorum: 2 }],
    ['a failover is over', { configEpoch: 1, quorum: 2 }],
  ] as const)
    it(`raises the fence after all when ${what} right after the lift`, () =>
      inRedisWorld(async (world) => {
        await startScriptedSentinel(world, { ...CLEAN, lastOkPingReplyMs: 60_000 });
        await applied(world, PEERS);
        const answer = world.rollBack('revert');
        await until('the lifting', 5, () => world.connects('client'));
        setSentinel(world, { ...CLEAN, ...script });
        await until('the fence', 2, async () => !(await world.connects('client')));
        expect(await world.connects('peer')).toBe(true);
        setSentinel(world, CLEAN);
        expect(await answer).toMatchObject({ state: 'REVERTED', fence: { outcome: 'SETTLED' }, leftovers: [] });
        expect(await world.filter()).toEqual(FOREIGN_RULES);
      }));

  for (const [what, flags] of [
    ['connects anew', 'master,disconnected'],
    ['finds the node down, which is fewer than a failover needs', 'master,s_down,disconnected'],
  ] as const)
    it(`lets clients stay when one Sentinel ${what}`, () =>
      inRedisWorld(async (world) => {
        await startScriptedSentinel(world, { ...CLEAN, lastOkPingReplyMs: 60_000, quorum: 2 });
        await applied(world, PEERS);
        const answer = world.rollBack('revert');
        await until('the lifting', 5, () => world.connects('client'));
        const connections = countConnections(world, 2);
        setSentinel(world, { ...CLEAN, flags, quorum: 2 });
        await asked(world, 10);
        setSentinel(world, CLEAN);
        expect(await answer).toMatchObject({ state: 'REVERTED', fence: { outcome: 'NOT_NEEDED' }, leftovers: [] });
        expect((await connections).failed).toBe(0);
      }));
});

/** A store that speaks TLS only, as the host is told of it. */
const TLS = {
  ...OWN,
  fenceCredentialsFile: '/run/files/store.json',
  fenceServerNames: 'node.redis.example,node.redis.example',
  fenceCaFile: '/run/files/tls-ca.pem',
  fenceCertificateFile: '/run/files/tls.pem',
  fenceKeyFile: '/run/files/tls.key',
};
const inTlsWorld = (test: (world: World) => Promise<void>) =>
  inWorld(
    'network-partition',
    async (world) => {
      await world.startTls();
      await test(world);
    },
    false,
  );

describe.concurrent('a store that speaks TLS only', () => {
  it('is asked through TLS, with a certificate of ours and the users of node and Sentinel', () =>
    inTlsWorld(async (world) => {
      await applied(world, TLS);
      expect(await world.rollBack('revert')).toMatchObject({ state: 'REVERTED', fence: { outcome: 'NOT_NEEDED' } });
      expect(await world.connects('client')).toBe(true);
    }));

  it.each([
    ['names that its certificate is not for', { fenceServerNames: 'node.redis.example,other.redis.example' }],
    ['no certificate of ours', { fenceCertificateFile: '', fenceKeyFile: '' }],
    ['no TLS', { fenceServerNames: '' }],
  ])('leaves the role in doubt with %s, and clients outside', (_what, change) =>
    inTlsWorld(async (world) => {
      await applied(world, { ...TLS, ...change });
      const answer = world.rollBack('revert');
      await until('the lifting', 5, () => world.connects('peer'));
      expect(await world.connects('client')).toBe(false);
      expect(await answer).toMatchObject({ fence: { outcome: 'DEADLINE' } });
    }),
  );

  it.each([
    ['an authority that is not there', { fenceCaFile: '/run/files/no.pem' }, /^fenceCaFile, .*No such file/],
    ['a name too few', { fenceServerNames: 'node.redis.example' }, /^fenceServerNames: /],
  ])('is refused with %s, before anything is changed', (_what, change, reason) =>
    inTlsWorld(async (world) => {
      const answer = await world.inject({ ...TLS, ...change });
      expect(answer.state).toBe('REFUSED');
      expect(answer.reason).toMatch(reason);
      expect(await world.filter()).toEqual(FOREIGN_RULES);
    }),
  );
});

it('tells nobody whom a command names the password of the store, before the lease has granted the command', () =>
  inRedisWorld(async (world) => {
    await startScriptedSentinel(world, CLEAN);
    writeFileSync(join(world.directory, 'store.json'), '{"username":"u","password":"p"}');
    const wanted = { ...PEERS, fenceCredentialsFile: '/run/files/store.json' };
    expect((await world.inject(wanted, false)).state).toBe('REFUSED');
    expect((await world.exec(['cat', '/run/files/sentinel-heard'])).out).not.toContain('AUTH');
  }));

describe.concurrent('the fence comes down, whatever breaks', () => {
  it('takes down a fence that was raised in one address family alone, and says that it failed', () =>
    inSentinelWorld(async (world) => {
      await world.withoutIpSets(`[[ $0 != *ip6* || $rules != *'-I INPUT 1'*hff-* ]] || exit 1`);
      await applied(world, IN_DOUBT);
      const answer = await world.rollBack('revert');
      expect(answer).toMatchObject({ code: 0, state: 'REVERTED', leftovers: [], fence: { outcome: 'FAILED' } });
      expect(answer.reason).toMatch(/no fence/);
      expect(await world.filter()).toEqual(FOREIGN_RULES);
      expect(await world.connects('client')).toBe(true);
    }));

  it('goes on until it is down when it could not be lowered', () =>
    inSentinelWorld(async (world) => {
      writeFileSync(join(world.directory, 'broken'), '');
      await world.withoutIpSets(`[[ ! -e /run/files/broken || $rules != *'-X hff-'* ]] || exit 1`);
      await applied(world, { ...IN_DOUBT, ttlSeconds: '3' });
      // More often than once by each process.
      await until('the failures', 20, async () => (await world.log()).split('fence is still up').length > 3);
      expect(await world.connects('peer')).toBe(true);
      expect(await world.connects('client')).toBe(false);
      rmSync(join(world.directory, 'broken'));
      await until('the end of the fence', 10, () => world.connects('client'));
      expect(await world.reverted(5)).toMatchObject({ revertReason: 'TTL', leftovers: [] });
      expect(await world.filter()).toEqual(FOREIGN_RULES);
    }));

  it('comes down at the deadline although the fault itself cannot be lifted', () =>
    inSentinelWorld(async (world) => {
      writeFileSync(join(world.directory, 'broken'), '');
      await world.withoutIpSets(`[[ ! -e /run/files/broken || $rules != *'-X hf-'* ]] || exit 1`);
      await applied(world, { ...IN_DOUBT, scope: 'peers', ttlSeconds: '3' });
      expect(await world.connects('client')).toBe(true);
      await until('the fence', 8, async () => !(await world.connects('client')));
      const raisedMs = Date.now();
      await until('the end of the fence', 25, () => world.connects('client'));
      expect(Date.now() - raisedMs).toBeLessThan(22_000);
      expect(await world.connects('peer')).toBe(false);
      rmSync(join(world.directory, 'broken'));
      await until('the lifting', 10, () => world.connects('peer'));
      expect(await world.reverted(5)).toMatchObject({ fence: { outcome: 'DEADLINE' }, leftovers: [] });
    }));

  it('comes down, like the fault, while /run is full', () =>
    inSentinelWorld(async (world) => {
      await applied(world, { ...IN_DOUBT, ttlSeconds: '4' });
      await world.exec(['mount', '-o', 'remount,size=1m', '/run']);
      await world.exec(['dd', 'if=/dev/zero', 'of=/run/full', 'bs=4k']);
      expect((await world.exec(['bash', '-c', 'echo x >/run/more'])).code).not.toBe(0);
      await until('the lifting', 8, () => world.connects('peer'));
      await until('the end of the fence', 20, () => world.connects('client'));
      expect((await world.exec(['bash', '-c', 'echo x >/run/more'])).code).not.toBe(0);
      await world.exec(['rm', '/run/full']);
      expect(await world.reverted(8)).toMatchObject({ revertReason: 'TTL', leftovers: [] });
      expect(await world.filter()).toEqual(FOREIGN_RULES);
    }));
});
