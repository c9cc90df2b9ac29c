import { describe, expect, it } from 'vitest';
import { ADDRESS, PORT, until } from './wire.ts';
import { inWorld, type World } from './world.ts';

const NETWORK = 'network-partition';
const GRACE_SECONDS = 2;
const FENCED = { fence: 'redis', fenceMasterName: 'shard-1', fenceSentinels: `${ADDRESS.peer}:26379` };
/** A fence stays so long. */
const FENCE_SECONDS = 15;

/** Nobody is left to revert: both processes stand still in the same instant, and no systemd watches them. */
async function stopPair(world: World): Promise<number> {
  const { supervisor, runner } = await world.pair();
  await world.exec(['kill', '-STOP', supervisor, runner]);
  return Date.now();
}

async function applied(world: World, changes: Record<string, string> = {}): Promise<void> {
  const answer = await world.inject({ leaseGraceSeconds: String(GRACE_SECONDS), ...changes });
  expect(answer).toMatchObject({ code: 0, state: 'APPLIED' });
  expect(await world.connects('peer')).toBe(false);
}

describe.concurrent('a fault of the packet filter ends in the kernel by itself', () => {
  for (const [kind, parameters] of [
    [NETWORK, { scope: 'isolate' }],
    [NETWORK, { scope: 'peers', direction: 'in' }],
    // Its worker lives on, and goes on to fill its sets.
    [NETWORK, { scope: 'isolate', flap: '30,5' }],
    ['network-loss', { peerAddresses: ADDRESS.peer, packetLossPct: '100', correlationPct: '0', flap: '' }],
  ] as const)
    it(`when nobody is left to end it: ${kind} ${JSON.stringify(parameters)}`, () =>
      inWorld(kind, async (world) => {
        await applied(world, parameters);
        const stoppedMs = await stopPair(world);
        await until('the end', GRACE_SECONDS + 3, () => world.connects('peer'));
        expect(Date.now() - stoppedMs).toBeLessThan((GRACE_SECONDS + 2.5) * 1000);
        expect(await world.connects('client')).toBe(true);
        expect(await world.rollBack('revert')).toMatchObject({ code: 0, state: 'REVERTED', leftovers: [] });
      }));

  it('and lives on for as long as it is watched, far beyond what the kernel would give it', () =>
    inWorld(NETWORK, async (world) => {
      await applied(world);
      const endMs = Date.now() + 3 * (GRACE_SECONDS + 1) * 1000;
      while (Date.now() < endMs) expect(await world.connects('peer')).toBe(false);
      expect((await world.status()).state).toBe('APPLIED');
    }));

  it('in time although somebody else holds the lock of the packet filter', () =>
    inWorld(NETWORK, async (world) => {
      // iptables-legacy takes a lock of the whole host, iptables-nft none.
      for (const tool of [
        'iptables',
        'iptables-save',
        'iptables-restore',
        'ip6tables',
        'ip6tables-save',
        'ip6tables-restore',
      ])
        await world.replaceTool(tool, `exec /usr/sbin/${tool.replace('tables', 'tables-legacy')} "$@"`);
      await applied(world, { ttlSeconds: '4' });
      const appliedMs = Date.parse((await world.status()).appliedAt ?? '');
      const holder = world.spawn(['flock', '/run/xtables.lock', 'sh', '-c', 'echo held; exec sleep 12']);
      await new Promise((resolve) => holder.stdout?.once('data', resolve));
      const reopenedMs = await world.reopenedMs(12);
      expect(reopenedMs - appliedMs).toBeLessThan(5_500);
      expect(await world.connects('client')).toBe(true);
      expect(await world.reverted(20)).toMatchObject({ revertReason: 'TTL', leftovers: [] });
    }));

  it('and says so where the kernel cannot do it, where it lives as long as it is watched', () =>
    inWorld(NETWORK, async (world) => {
      await world.withoutIpSets();
      const answer = await world.inject({ ttlSeconds: '6' });
      expect(answer).toMatchObject({ code: 0, state: 'APPLIED', notes: [expect.stringMatching(/no IP sets here/)] });
      expect(await world.connects('peer')).toBe(false);
      expect(await world.reverted(12)).toMatchObject({ revertReason: 'TTL', leftovers: [] });
      expect(await world.connects('peer')).toBe(true);
    }));
});

describe.concurrent('a host that nobody hears of any more lets its peers in before its clients', () => {
  for (const scope of ['isolate', 'peers'])
    it(`with scope ${scope}: clients stay away for the time of the fence, and no longer`, () =>
      inWorld(NETWORK, async (world) => {
        await applied(world, { ...FENCED, scope });
        expect(await world.connects('client')).toBe(scope === 'peers');
        await stopPair(world);
        await until('the peers', GRACE_SECONDS + 3, () => world.connects('peer'));
        const peersMs = Date.now();
        expect(await world.connects('client')).toBe(false);
        await until('the clients', FENCE_SECONDS + 3, () => world.connects('client'));
        expect(Date.now() - peersMs).toBeGreaterThan((FENCE_SECONDS - 2) * 1000);
        expect(await world.connects('peer')).toBe(true);
      }));
});

/**
 * The moment of a failover at which healing loses writes: one replica is promoted, the other one still follows the host.
 * An application writes to the host as soon as it gets there, and calls a write acknowledged when a replica has it.
 */
async function healInFailover(world: World, fence: Record<string, string>) {
  const [promoted, other] = [6380, 6381];
  const far = (...words: string[]) => world.far(['redis-cli', '-h', ADDRESS.peer, ...words]);
  for (const port of [promoted, other]) {
    const words = ['redis-server', '--port', String(port), '--bind', ADDRESS.peer, '--protected-mode', 'no'];
    world.spawnFar([...words, '--save', '', '--dir', '/run', '--replicaof', ADDRESS.host, String(PORT)]);
  }
  const connected = async () => (await world.exec(['redis-cli', '-p', String(PORT), 'info', 'replication'])).out;
  await until('the replicas', 20, async () => (await connected()).split('state=online').length === 3);
  await applied(world, { ...fence, scope: 'isolate' });
  await far('-p', String(promoted), 'replicaof', 'no', 'one');
  await stopPair(world);
  await until('the peers', GRACE_SECONDS + 3, () => world.connects('peer'));
  const writer = `import json, socket, time
acknowledged, until = [], time.monotonic() + 6
while time.monotonic() < until:
    key = "key-%d" % time.monotonic_ns()
    try:
        with socket.socket() as s:
            s.settimeout(0.7); s.bind(("${ADDRESS.client}", 0)); s.connect(("${ADDRESS.host}", ${PORT}))
            s.sendall(("SET %s 1\\r\\nWAIT 1 500\\r\\n" % key).encode())
            said = b""
            while said.count(b"\\n") < 2: said += s.recv(100)
        if said == b"+OK\\r\\n:1\\r\\n": acknowledged.append(key)
    except OSError: pass
    time.sleep(0.02)
print(json.dumps(acknowledged))`;
  const { out } = await world.far(['python3', '-c', writer]);
  const acknowledged = JSON.parse(out) as string[];
  // What Sentinel does at the end of a failover.
  await far('-p', String(other), 'replicaof', ADDRESS.peer, String(promoted));
  await world.exec(['redis-cli', '-p', String(PORT), 'replicaof', ADDRESS.peer, String(promoted)]);
  const kept = (await far('-p', String(promoted), 'keys', 'key-*')).out.split('\n');
  return { acknowledged, lost: acknowledged.filter((key) => !kept.includes(key)) };
}

describe.concurrent('a host that comes back in the middle of a failover, by its kernel alone', () => {
  it('loses no acknowledged write', () =>
    inWorld(
      NETWORK,
      async (world) => {
        await world.startRedis();
        expect((await healInFailover(world, FENCED)).lost).toEqual([]);
        await until('the clients', FENCE_SECONDS + 3, () => world.connects('client'));
      },
      false,
    ));

  it('loses some without a fence: so the test above can fail', () =>
    inWorld(
      NETWORK,
      async (world) => {
        await world.startRedis();
        expect((await healInFailover(world, {})).lost.length).toBeGreaterThan(0);
      },
      false,
    ));
});

describe.concurrent('the fault is the one that was asked for', () => {
  it('tells what was seen of it', () =>
    inWorld(NETWORK, async (world) => {
      const answer = await world.inject();
      expect(answer).toMatchObject({ effect: { measure: 'packets through the fault', unit: 'packets' } });
      expect(answer.effect?.value).toBeGreaterThan(0);
      for (let times = 0; times < 5; times += 1) expect(await world.connects('peer')).toBe(false);
      const end = await world.rollBack('revert');
      expect(end.effect?.value).toBeGreaterThan(answer.effect?.value ?? 0);
    }));

  for (const [what, command] of [
    ['flushes the packet filter', 'iptables -F'],
    ['takes our jump away', 'iptables -D INPUT 1; iptables -D OUTPUT 1; iptables -D FORWARD 1'],
  ] as const)
    it(`ends, as EFFECT_LOST, when somebody ${what}`, () =>
      inWorld(NETWORK, async (world) => {
        expect(await world.inject({ leaseGraceSeconds: '10' })).toMatchObject({ state: 'APPLIED' });
        await world.exec(['bash', '-c', command]);
        expect(await world.connects('peer')).toBe(true);
        const end = await world.reverted(10);
        expect(end).toMatchObject({ revertReason: 'EFFECT_LOST', effectLostAt: expect.any(String), leftovers: [] });
      }));

  it('is not applied when a packet of ours through it meets nothing', () =>
    inWorld(NETWORK, async (world) => {
      // Rules that come before every other one let everything through, as an overlay would.
      await world.replaceTool(
        'iptables-restore',
        `/usr/sbin/iptables-restore "$@" && if [ -e /run/holdfast/exp_test.1/state.json ]; then
/usr/sbin/iptables -I INPUT 1 -j ACCEPT; /usr/sbin/iptables -I OUTPUT 1 -j ACCEPT; fi`,
      );
      const answer = await world.inject();
      expect(answer).toMatchObject({ code: 4, revertReason: 'APPLY_FAILED' });
      expect(answer.reason).toMatch(/no effect can be seen beyond packets through the fault 0 packets/);
      expect(await world.connects('peer')).toBe(true);
    }));

  it('lives on although a busy host has no traffic to its peers: packets of ours go through it', () =>
    inWorld(NETWORK, async (world) => {
      expect(await world.inject({ scope: 'peers' })).toMatchObject({ state: 'APPLIED' });
      const endMs = Date.now() + 8_000;
      await until('the quiet time', 12, async () => Date.now() > endMs);
      expect(await world.status()).toMatchObject({ state: 'APPLIED' });
      expect(await world.connects('peer')).toBe(false);
    }));
});
