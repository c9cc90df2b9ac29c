import { describe, expect, it } from 'vitest';
import { packetFilter } from './kinds/network-partition.ts';
import { ADDRESS, PORT, until } from './wire.ts';
import { inWorld, type World } from './world.ts';

const KIND = 'network-partition';
const SIX = { host: 'fd99::1', peer: 'fd99::2', client: 'fd99::3' } as const;
const SEEN = {
  measure: 'packets through the fault',
  value: expect.any(Number),
  unit: 'packets',
  observedAt: expect.stringMatching(/Z$/),
};
/** A container with a network of its own on the host. */
const BOX = '172.30.0.2';
const IN_BOX = ['ip', 'netns', 'exec', 'box'];

const bash = (world: World, script: string) => world.exec(['bash', '-ec', script]);

async function pings(world: World, words: string[]): Promise<boolean> {
  return (await world.exec([...words.slice(0, -1), 'ping', '-c1', '-W1', ...words.slice(-1)])).code === 0;
}

/** Does one of some datagrams arrive? `near` is the host, `far` the peer. One process has both ends, so that none is late. */
async function arrives(world: World, from: 'near' | 'far', port: number): Promise<boolean> {
  const ends = { near: ADDRESS.host, far: ADDRESS.peer };
  const to = from === 'near' ? 'far' : 'near';
  const code = `import ctypes, os, socket
places = {"near": os.open("/proc/self/ns/net", 0), "far": os.open("/run/netns/far", 0)}
def end(place, address, port):
    assert ctypes.CDLL(None).setns(places[place], 0x40000000) == 0
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); opened.bind((address, port)); opened.settimeout(0.5)
    return opened
receiver, sender = end("${to}", "${ends[to]}", ${port}), end("${from}", "${ends[from]}", 0)
for _ in range(5):
    try: sender.sendto(b"x", ("${ends[to]}", ${port}))
    except PermissionError: pass
try: print(receiver.recv(1))
except socket.timeout: print("lost")`;
  const { code: failed, out } = await world.exec(['python3', '-c', code]);
  if (failed) throw new Error(out);
  return out !== 'lost';
}

async function connectsSix(world: World, from: 'peer' | 'client'): Promise<boolean> {
  const code = `import socket; s=socket.socket(10); s.settimeout(0.3); s.bind(("${SIX[from]}",0)); s.connect(("${SIX.host}",${PORT}))`;
  return (await world.far(['python3', '-c', code])).code === 0;
}

async function startSix(world: World): Promise<void> {
  await bash(
    world,
    `ip addr add ${SIX.host}/64 dev near nodad
     for last in 2 3; do ip -n far addr add fd99::$last/64 dev far nodad; done`,
  );
  world.spawn([
    'python3',
    '-c',
    `import socket\ns=socket.create_server(("${SIX.host}",${PORT}),family=socket.AF_INET6)\nwhile True: s.accept()[0].close()`,
  ]);
  await until('the store on IPv6', 10, () => connectsSix(world, 'client'));
}

async function startBox(world: World): Promise<void> {
  await bash(
    world,
    `ip netns add box
     ip link add outer type veth peer name inner netns box
     ip addr add 172.30.0.1/24 dev outer; ip link set outer up
     ip -n box addr add ${BOX}/24 dev inner; ip -n box link set inner up
     ip -n box route add default via 172.30.0.1
     ip -n far route add 172.30.0.0/24 via ${ADDRESS.host}
     echo 1 >/proc/sys/net/ipv4/ip_forward`,
  );
  expect(await pings(world, [...IN_BOX, ADDRESS.peer])).toBe(true);
}

describe.concurrent('a partition in one direction', () => {
  it('loses what arrives from the peers and lets out what is sent to them when the direction is in', () =>
    inWorld(KIND, async (world) => {
      expect(await world.inject({ direction: 'in', scope: 'peers' })).toMatchObject({ code: 0, effect: SEEN });
      expect(await arrives(world, 'far', 5000)).toBe(false);
      expect(await arrives(world, 'near', 5000)).toBe(true);
    }));

  it('loses what is sent to the peers and lets in what arrives from them when the direction is out', () =>
    inWorld(KIND, async (world) => {
      expect(await world.inject({ direction: 'out' })).toMatchObject({ code: 0, effect: SEEN });
      expect(await arrives(world, 'far', 5000)).toBe(true);
      expect(await arrives(world, 'near', 5000)).toBe(false);
      // scope isolate: the answers of the store do not reach its clients either.
      expect(await world.connects('client')).toBe(false);
    }));
});

describe.concurrent('a partition of some ports', () => {
  it('cuts these ports for TCP and UDP, and nothing else between the same hosts', () =>
    inWorld(KIND, async (world) => {
      expect(await world.inject({ ports: `${PORT},5000`, scope: 'peers' })).toMatchObject({ code: 0 });
      expect(await world.connects('peer')).toBe(false);
      expect(await arrives(world, 'far', 5000)).toBe(false);
      expect(await arrives(world, 'far', 5001)).toBe(true);
      expect(await pings(world, [ADDRESS.peer])).toBe(true);
      expect(await world.connects('client')).toBe(true);
    }));

  it.each([
    [{ ports: '5000' }, /one of storePorts/],
    [{ ports: '65536', scope: 'peers' }, /^ports: .*must match \(\(\[1-9\]/],
    [{ ports: Array.from({ length: 16 }, (_, index) => 6379 + index).join(',') }, /^ports: .*must match \(\(\[1-9\]/],
    [{ direction: 'forward' }, /^direction: .*must match \(both\|in\|out\)/],
  ])('refuses to start with %j', (changes, reason) =>
    inWorld(KIND, async (world) => {
      expect(await world.inject(changes)).toMatchObject({ code: 3, reason: expect.stringMatching(reason) });
      expect(await world.connects('peer')).toBe(true);
    }),
  );
});

describe.concurrent('a partition whose effect somebody else takes away', () => {
  const LOST = { revertReason: 'EFFECT_LOST', effectLostAt: expect.stringMatching(/Z$/), leftovers: [] };

  it('ends, although its rules are there, when others let the packets of its peers pass before', () =>
    inWorld(KIND, async (world) => {
      expect(await world.inject({ scope: 'peers' })).toMatchObject({ code: 0, state: 'APPLIED', effect: SEEN });
      await bash(world, 'iptables -I INPUT -j ACCEPT; iptables -I OUTPUT -j ACCEPT');
      expect(await world.connects('peer')).toBe(true);
      expect(await world.reverted(8)).toMatchObject(LOST);
    }));

  it('ends on a kernel without IP sets, too', () =>
    inWorld(KIND, async (world) => {
      await world.withoutIpSets();
      expect(await world.inject()).toMatchObject({ code: 0, state: 'APPLIED', effect: SEEN });
      await bash(world, 'iptables -F INPUT; iptables -F OUTPUT');
      expect(await world.reverted(8)).toMatchObject(LOST);
    }));
});

describe.concurrent('a partition that loses few of the packets', () => {
  const FEW = { packetLossPct: '5' };

  /** Longer than an effect may be missing. */
  async function expectAlive(world: World): Promise<void> {
    expect(await world.inject(FEW)).toMatchObject({ code: 0, state: 'APPLIED' });
    await world.exec(['sleep', '5']);
    expect((await world.status()).state).toBe('APPLIED');
  }

  it('is not taken for gone while hardly anybody sends one', () => inWorld(KIND, expectAlive));

  it('is not taken for gone while hardly anybody sends one, on a kernel without IP sets either', () =>
    inWorld(KIND, async (world) => {
      await world.withoutIpSets();
      await expectAlive(world);
    }));
});

describe.concurrent('IPv6 peers', () => {
  it('are cut with the clients, but for exempt ones, and come back', () =>
    inWorld(KIND, async (world) => {
      await startSix(world);
      const before = await packetFilter(world);
      const peerAddresses = `${ADDRESS.peer},${SIX.peer}`;
      expect(await world.inject({ peerAddresses, exemptAddresses: SIX.client })).toMatchObject({ code: 0 });
      expect(await connectsSix(world, 'peer')).toBe(false);
      expect(await pings(world, [SIX.peer])).toBe(false);
      expect(await connectsSix(world, 'client')).toBe(true);
      expect(await world.connects('peer')).toBe(false);
      expect(await world.rollBack('revert')).toMatchObject({ code: 0, state: 'REVERTED', leftovers: [] });
      expect(await connectsSix(world, 'peer')).toBe(true);
      expect(await world.connects('peer')).toBe(true);
      expect(await packetFilter(world)).toBe(before);
    }));
});

describe.concurrent('what the host forwards for containers', () => {
  it('is cut from the peers and from nobody else, and comes back', () =>
    inWorld(KIND, async (world) => {
      await startBox(world);
      const before = await packetFilter(world);
      expect(await world.inject({ scope: 'peers' })).toMatchObject({ code: 0 });
      expect(await pings(world, [...IN_BOX, ADDRESS.peer])).toBe(false);
      expect(await pings(world, [...IN_BOX, ADDRESS.client])).toBe(true);
      expect(await pings(world, [...IN_BOX, ADDRESS.host])).toBe(true);
      expect(await world.rollBack('revert')).toMatchObject({ code: 0, state: 'REVERTED', leftovers: [] });
      expect(await pings(world, [...IN_BOX, ADDRESS.peer])).toBe(true);
      expect(await packetFilter(world)).toBe(before);
    }));

  it('is a refusal for clients when the store is in a container: nothing would keep them out', () =>
    inWorld(
      KIND,
      async (world) => {
        const refused = { code: 3, reason: expect.stringMatching(/^scope=isolate .*: nothing listens on port 6379/) };
        expect(await world.inject()).toMatchObject(refused);
        const fence = { fence: 'redis', fenceMasterName: 'shard-1', fenceSentinels: `${ADDRESS.peer}:26379` };
        expect(await world.inject({ ...fence, scope: 'peers' })).toMatchObject({
          code: 3,
          reason: expect.stringMatching(/^fence=redis: nothing listens on port 6379/),
        });
        expect(await world.inject({ scope: 'peers' })).toMatchObject({ code: 0, state: 'APPLIED' });
      },
      false,
    ));

  it('is a refusal for clients when the port is forwarded to a container behind a proxy that listens', () =>
    inWorld(KIND, async (world) => {
      await bash(world, `iptables -t nat -A PREROUTING -p tcp --dport ${PORT} -j DNAT --to-destination ${BOX}:${PORT}`);
      expect(await world.inject()).toMatchObject({ code: 3, reason: expect.stringMatching(/forwarded \(DNAT\)/) });
    }));
});

describe.concurrent('connections that exist already', () => {
  it('stall with the partition and go on after it', () =>
    inWorld(KIND, async (world) => {
      const echo = `import socket
s=socket.create_server(("${ADDRESS.host}",7000)); c=s.accept()[0]
while True: c.sendall(c.recv(1))`;
      world.spawn(['python3', '-c', echo]);
      await until('the server', 10, () => listens(world, 7000));
      const talk = `import socket,time
s=socket.create_connection(("${ADDRESS.host}",7000),source_address=("${ADDRESS.peer}",0))
while True:
    s.sendall(b"x"); s.recv(1); print("x",end="",flush=True); time.sleep(0.02)`;
      let echoes = 0;
      world.spawnFar(['python3', '-c', talk]).stdout?.on('data', (data) => {
        echoes += String(data).length;
      });
      await until('an echo', 10, async () => echoes > 0);
      expect(await world.inject({ scope: 'peers' })).toMatchObject({ code: 0 });
      // Another exchange takes its time: had the connection lived, it would have been used meanwhile.
      const atStart = echoes;
      expect(await arrives(world, 'far', 5000)).toBe(false);
      expect(echoes).toBe(atStart);
      expect(await world.rollBack('revert')).toMatchObject({ code: 0, state: 'REVERTED' });
      await until('the next echo', 10, async () => echoes > atStart);
    }));
});

async function listens(world: World, port: number): Promise<boolean> {
  return (await world.exec(['ss', '-Hltn', `sport = :${port}`])).out !== '';
}

describe.concurrent('the older packet filter of the kernel (iptables-legacy)', () => {
  it('cuts and gives back as the newer one does', () =>
    inWorld(KIND, async (world) => {
      for (const family of ['ip', 'ip6']) {
        for (const verb of ['', '-save', '-restore']) {
          await world.replaceTool(`${family}tables${verb}`, `exec /usr/sbin/${family}tables-legacy${verb} "$@"`);
        }
      }
      await startSix(world);
      const before = await packetFilter(world);
      expect(await world.inject({ peerAddresses: `${ADDRESS.peer},${SIX.peer}` })).toMatchObject({ code: 0 });
      expect((await world.exec(['iptables-legacy-save'])).out).toMatch(/holdfast/);
      expect((await world.exec(['iptables-nft-save'])).out).not.toMatch(/holdfast/);
      expect(await world.connects('peer')).toBe(false);
      expect(await world.connects('client')).toBe(false);
      expect(await connectsSix(world, 'peer')).toBe(false);
      expect(await world.rollBack('revert')).toMatchObject({ code: 0, state: 'REVERTED', leftovers: [] });
      expect(await world.connects('peer')).toBe(true);
      expect(await connectsSix(world, 'peer')).toBe(true);
      expect(await packetFilter(world)).toBe(before);
    }));
});
