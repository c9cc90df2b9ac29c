import { describe, expect, it } from 'vitest';
import { networkLatency } from './kinds/network-latency.ts';
import { networkLoss } from './kinds/network-loss.ts';
import { ADDRESS } from './wire.ts';
import { inWorld, type World } from './world.ts';

const LOSS = networkLoss.parameters;
const bash = (world: World, script: string) => world.exec(['bash', '-ec', script]);

/** The interfaces that lead to some peers, as the program finds them on the host, or why it refuses. */
async function interfacesTo(world: World, ...peers: string[]): Promise<string> {
  const code = `import sys; sys.path.insert(0, '/run/files/program')
from linux import netem
from refused import Refused
try: print(*netem.interfaces_to(sys.argv[1:]))
except Refused as error: print('refused:', error)`;
  return (await world.exec(['python3', '-B', '-c', code, ...peers])).out;
}

async function lossPct(world: World, address: string, count = 20): Promise<number> {
  const words = ['ping', '-q', `-c${count}`, '-i0.005', '-W1', '-I', address, ADDRESS.host];
  return Number(/([\d.]+)% packet loss/.exec((await world.far(words)).out)?.[1]);
}

/** On a machine whose kernel has netem: what `tc` says on one that has not. */
async function withoutNetem(world: World): Promise<void> {
  const tried = await world.exec(['unshare', '-n', 'tc', 'qdisc', 'add', 'dev', 'lo', 'root', 'netem', 'delay', '1ms']);
  if (tried.code !== 0) return;
  const refuse = "echo 'Error: Specified qdisc kind is unknown.' >&2; exit 2";
  const script = `if [ "$1" = -batch ]; then said=$(cat); case $said in *netem*) ${refuse} ;; esac; exec /usr/sbin/tc "$@" <<<"$said"; fi
exec /usr/sbin/tc "$@"`;
  await world.replaceTool('tc', script);
}

/** Two interfaces, one of them with two ways to a third network, and the routes that lead to no interface. */
const startInterfaces = (world: World) =>
  bash(
    world,
    `for name in data store; do
       ip link add $name type veth peer name $name-far; ip link set $name up; ip link set $name-far up
     done
     ip addr add 10.1.0.1/24 dev data; ip addr add fd01::1/64 dev data nodad; ip addr add 10.2.0.1/24 dev store
     ip route add 10.5.0.0/24 nexthop via 10.1.0.9 dev data nexthop via 10.2.0.9 dev store
     ip route add blackhole 10.6.0.1; ip route add unreachable 10.6.0.2; ip -6 route add blackhole fd06::1`,
  );

describe.concurrent('loss on a kernel without netem', () => {
  it('loses its share of what is sent to a peer, nothing else, and comes back', () =>
    inWorld('network-loss', async (world) => {
      await withoutNetem(world);
      const before = await networkLoss.traces(world);
      const parameters = { ...LOSS, packetLossPct: '50' };
      expect(await world.inject(parameters)).toMatchObject({ code: 0, state: 'APPLIED' });
      // Only the answers of the host are lost; 6 sigma at 200 pings is 21 points.
      const lost = await lossPct(world, ADDRESS.peer, 200);
      expect(lost).toBeGreaterThan(29);
      expect(lost).toBeLessThan(71);
      expect(await lossPct(world, ADDRESS.client)).toBe(0);
      expect(await world.rollBack('revert')).toMatchObject({ code: 0, state: 'REVERTED', leftovers: [] });
      expect(await lossPct(world, ADDRESS.peer)).toBe(0);
      expect(await networkLoss.traces(world)).toBe(before);
    }));

  it('loses what the host forwards to a peer for a container', () =>
    inWorld('network-loss', async (world) => {
      await withoutNetem(world);
      await bash(
        world,
        `ip netns add box; ip link add outer type veth peer name inner netns box
         ip addr add 172.30.0.1/24 dev outer; ip link set outer up
         ip -n box addr add 172.30.0.2/24 dev inner; ip -n box link set inner up; ip -n box route add default via 172.30.0.1
         ip -n far route add 172.30.0.0/24 via ${ADDRESS.host}; echo 1 >/proc/sys/net/ipv4/ip_forward`,
      );
      const answered = async (address: string) =>
        (await world.exec(['ip', 'netns', 'exec', 'box', 'ping', '-c1', '-W1', address])).code === 0;
      expect(await answered(ADDRESS.peer)).toBe(true);
      expect(await world.inject(LOSS)).toMatchObject({ code: 0, state: 'APPLIED' });
      expect(await answered(ADDRESS.peer)).toBe(false);
      expect(await answered(ADDRESS.client)).toBe(true);
    }));

  it('says how it loses packets and how many met it, and ends when somebody else flushes its rules', () =>
    inWorld('network-loss', async (world) => {
      await withoutNetem(world);
      expect(await world.inject(LOSS)).toMatchObject({
        code: 0,
        state: 'APPLIED',
        effect: { measure: 'packets through the fault', value: expect.any(Number), unit: 'packets' },
        notes: ['packets are lost through netfilter: this kernel has no netem'],
      });
      await bash(world, 'iptables -F OUTPUT');
      expect(await lossPct(world, ADDRESS.peer)).toBe(0);
      const lost = { revertReason: 'EFFECT_LOST', effectLostAt: expect.stringMatching(/Z$/), leftovers: [] };
      const answer = await world.reverted(8);
      expect(answer).toMatchObject(lost);
      expect(answer.notes?.at(-1)).toMatch(/^no effect can be seen(: | beyond packets through the fault )/);
    }));

  it('refuses a correlation, with the reason', () =>
    inWorld('network-loss', async (world) => {
      await withoutNetem(world);
      expect(await world.inject({ ...LOSS, correlationPct: '25' })).toMatchObject({
        code: 3,
        reason: expect.stringMatching(/^correlationPct: must be 0.*no netem.*unknown/),
      });
      expect(await lossPct(world, ADDRESS.peer)).toBe(0);
    }));
});

describe.concurrent('latency', () => {
  it('is refused where netem cannot be tried, and that is not taken for an answer', () =>
    inWorld('network-latency', async (world) => {
      const parameters = world.faultParameters(networkLatency.parameters);
      world.grant(parameters);
      const inject = ['/usr/bin/python3', '-B', '/run/files/program/watchdog.py', 'inject'];
      // Without it, no process may make a namespace.
      const words = ['setpriv', '--bounding-set=-sys_admin', ...inject];
      const { code, out } = await world.exec(words, world.environment(parameters));
      const reason = 'a network namespace to try it in is not permitted: Operation not permitted';
      expect({ code, ...JSON.parse(out) }).toMatchObject({ code: 3, reason: expect.stringContaining(reason) });
    }));

  it.each([
    [{ jitterMs: '401' }, /^jitterMs, latencyMs: jitterMs must be 0 to latencyMs$/],
    [{ correlationPct: '25' }, /^correlationPct, jitterMs: correlationPct must be 0 without jitterMs$/],
    [{ latencyMs: '10001' }, /^latencyMs: .*must match \(\[1-9\]/],
    [{ latencyMs: '0' }, /^latencyMs: .*must match \(\[1-9\]/],
  ])('is refused with %j', (changes, reason) =>
    inWorld('network-latency', async (world) => {
      const answer = await world.inject({ ...networkLatency.parameters, ...changes });
      expect(answer).toMatchObject({ code: 3, reason: expect.stringMatching(reason) });
    }),
  );
});

describe.concurrent('the interfaces', () => {
  it('are all those on which packets to the peers leave, and no others', () =>
    inWorld('network-latency', async (world) => {
      await startInterfaces(world);
      expect(await interfacesTo(world, '10.1.0.2')).toBe('data');
      expect(await interfacesTo(world, '10.2.0.2')).toBe('store');
      expect(await interfacesTo(world, 'fd01::2', '10.2.0.2')).toBe('data store');
      expect(await interfacesTo(world, '10.5.0.2')).toBe('data store');
      // What is sent from the second interface's address leaves there.
      await bash(world, 'ip rule add from 10.2.0.1 lookup 100; ip route add default via 10.2.0.9 dev store table 100');
      expect(await interfacesTo(world, '10.1.0.2')).toBe('data store');
    }));

  it('are missing where no packet leaves: refused', () =>
    inWorld('network-latency', async (world) => {
      await startInterfaces(world);
      await bash(world, 'ip route add 10.7.0.0/24 dev lo');
      for (const peer of ['10.6.0.1', '10.6.0.2', 'fd06::1', '203.0.113.9']) {
        const answer = await interfacesTo(world, '10.1.0.2', peer);
        expect(answer).toMatch(new RegExp(`refused: peerAddresses: there is no route to ${peer}:`));
      }
      expect(await interfacesTo(world, '10.1.0.1')).toMatch(/refused: .*no packet to 10.1.0.1 leaves/);
      expect(await interfacesTo(world, '10.7.0.1')).toMatch(/refused: .*no interface leads to 10.7.0.1/);
    }));

  it('are refused when they have the queueing discipline of someone else', () =>
    inWorld('network-latency', async (world) => {
      await startInterfaces(world);
      await bash(world, 'tc qdisc add dev store root handle 7: tbf rate 1gbit burst 1m latency 10ms');
      expect(await interfacesTo(world, '10.5.0.2')).toMatch(/refused: store has .* tbf 7:/);
      await bash(world, 'tc qdisc del dev store root; tc qdisc add dev store ingress');
      expect(await interfacesTo(world, '10.5.0.2')).toBe('data store');
      // One with the kernel's own number for what an administrator has put there is no default either.
      await bash(world, 'tc qdisc add dev store root pfifo');
      expect(await interfacesTo(world, '10.5.0.2')).toMatch(/refused: store has .* pfifo 8/);
    }));
});
