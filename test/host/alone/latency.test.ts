import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { networkLatency } from '../kinds/network-latency.ts';
import { sessionRank } from '../load.ts';
import { workersOf } from '../safety-suite.ts';
import { ADDRESS, until } from '../wire.ts';
import { inWorld, type World } from '../world.ts';

const SIX = { host: 'fd99::1', peer: 'fd99::2', client: 'fd99::3' } as const;
/** What this machine, which is shared and noisy, may add to the quickest of some round trips. */
const SLACK_MS = 40;
const APPLIED = { code: 0, state: 'APPLIED' };
const HUNDRED = { ...networkLatency.parameters, latencyMs: '100' };
const NO_NETEM = "echo 'Error: Specified qdisc kind is unknown.' >&2; exit 2";

const bash = (world: World, script: string) => world.exec(['bash', '-ec', script]);

/** A host whose kernel has no netem, as its `tc` says. */
function onHost(test: (world: World) => Promise<void>): Promise<void> {
  return inWorld('network-latency', async (world) => {
    await world.replaceTool(
      'tc',
      `if [ "$1" = -batch ]; then said=$(cat); case $said in *netem*) ${NO_NETEM} ;; esac; exec /usr/sbin/tc "$@" <<<"$said"; fi
exec /usr/sbin/tc "$@"`,
    );
    await bash(
      world,
      `ip addr add ${SIX.host}/64 dev near nodad
       for address in ${SIX.peer} ${SIX.client}; do ip -n far addr add $address/64 dev far nodad; done`,
    );
    await test(world);
  });
}

/** The quickest of some round trips that begin at the other end of the wire: only their answers leave the host. */
async function roundTripMs(world: World, from: string, to: string, count = 5): Promise<number> {
  const { out } = await world.far(['ping', '-q', `-c${count}`, '-i0.02', '-W3', '-I', from, to]);
  expect(out).toContain(' 0% packet loss');
  return Number(/= ([\d.]+)\//.exec(out)?.[1]);
}

async function expectDelayed(world: World, from: string, to: string, latencyMs: number): Promise<void> {
  const found = await roundTripMs(world, from, to);
  expect(found).toBeGreaterThan(latencyMs - 1);
  expect(found).toBeLessThan(latencyMs + SLACK_MS);
}

async function expectPrompt(world: World, from: string, to: string): Promise<void> {
  expect(await roundTripMs(world, from, to)).toBeLessThan(SLACK_MS);
}

/** [number, delay in ms] of packets that the host sends to the peer, as they arrive. */
async function arrivals(world: World, count: number, perSecond: number): Promise<[number, number][]> {
  const receive = `import json,socket,struct,time
s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM); s.bind(("${ADDRESS.peer}",9999)); s.settimeout(1); found=[]
print("listens",flush=True)
try:
    while len(found)<${count}:
        number,sent=struct.unpack("=Id",s.recv(99)); found.append([number,(time.monotonic()-sent)*1000])
        s.settimeout(2)
except socket.timeout: pass
print(json.dumps(found))`;
  const send = `import socket,struct,time
s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM)
for number in range(${count}):
    s.sendto(struct.pack("=Id",number,time.monotonic()),("${ADDRESS.peer}",9999)); time.sleep(1/${perSecond})`;
  const receiver = world.spawnFar(['python3', '-c', receive]);
  let said = '';
  receiver.stdout?.on('data', (text) => {
    said += String(text);
  });
  await until('the receiver', 5, async () => said.includes('listens'));
  await world.exec(['python3', '-c', send]);
  return until('all packets', 10, async () => said.includes(']]') && JSON.parse(said.split('\n')[1] ?? ''));
}

/** Megabytes that one connection to the peer carries in so many seconds. */
async function carriedMegabytes(world: World, seconds: number): Promise<number> {
  const receive = `import socket
s=socket.create_server(("${ADDRESS.peer}",9998)); print("listens",flush=True); c=s.accept()[0]; size=0
while True:
    try: data=c.recv(1<<20)
    except ConnectionResetError: break
    if not data: break
    size+=len(data)
print(size)`;
  const send = `import socket,time
s=socket.create_connection(("${ADDRESS.peer}",9998)); s.settimeout(0.2); until=time.monotonic()+${seconds}
while time.monotonic()<until:
    try: s.send(bytes(1<<16))
    except socket.timeout: pass
s.setsockopt(socket.SOL_SOCKET,socket.SO_LINGER,b"\\1\\0\\0\\0\\0\\0\\0\\0"); s.close()`;
  const sink = world.spawnFar(['python3', '-c', receive]);
  let said = '';
  sink.stdout?.on('data', (text) => {
    said += String(text);
  });
  await until('the receiver', 5, async () => said.includes('listens'));
  await world.exec(['python3', '-c', send]);
  const size = await until('the end of the connection', 5, async () => said.split('\n')[1]);
  return Number(size) / 1e6;
}

/** Code on the host with the fault's own program; the record is that of the fault to come. */
function onProgram(world: World, code: string): string[] {
  const head = `import sys; sys.path.insert(0, '/run/files/program')
import parameters
from linux import packet_delay, packet_queue
from record import FaultRecord, State
record = FaultRecord('${world.faultId}', 'i-1', 'network-latency', 'queueing', State.ARMING, {}, parameters.sha256_hex('${world.faultId}')[:12], '')
`;
  return ['/usr/bin/python3', '-B', '-c', head + code];
}

describe.concurrent('latency on a kernel without netem', () => {
  it('delays what is sent to the peers, v4 and v6, and nobody else, and is gone without a trace', () =>
    onHost(async (world) => {
      const before = await networkLatency.traces(world);
      await expectPrompt(world, ADDRESS.peer, ADDRESS.host);
      const answer = await world.inject({ ...HUNDRED, peerAddresses: `${ADDRESS.peer},${SIX.peer}` });
      expect(answer).toMatchObject(APPLIED);
      expect(answer.notes).toContainEqual(
        expect.stringMatching(/^a worker delays the packets: no netem here; \d+ a second/),
      );
      await expectDelayed(world, ADDRESS.peer, ADDRESS.host, 100);
      await expectDelayed(world, SIX.peer, SIX.host, 100);
      await expectPrompt(world, ADDRESS.client, ADDRESS.host);
      await expectPrompt(world, SIX.client, SIX.host);
      const seen = async () => (await world.status()).effect?.measure ?? '';
      expect(
        await until('its delay', 5, async () => /^packets held 1\d\d\.\d ms/.test(await seen()) && seen()),
      ).toMatch(/ now$/);
      expect(await world.rollBack('revert')).toMatchObject({ state: 'REVERTED', leftovers: [], changes: [] });
      await expectPrompt(world, ADDRESS.peer, ADDRESS.host);
      await expectPrompt(world, SIX.peer, SIX.host);
      expect(await networkLatency.traces(world)).toBe(before);
    }));

  it('varies within the jitter, both ways, and no packet overtakes another', () =>
    onHost(async (world) => {
      expect(await world.inject({ ...HUNDRED, jitterMs: '60' })).toMatchObject(APPLIED);
      const found = await arrivals(world, 1500, 500);
      expect(found.map(([number]) => number)).toEqual(Array.from({ length: 1500 }, (_, number) => number));
      const delays = found.map(([, delayMs]) => delayMs).sort((one, other) => one - other);
      expect(delays[0]).toBeGreaterThan(39);
      expect(delays[0]).toBeLessThan(90);
      expect(delays.at(-1)).toBeGreaterThan(110);
      expect(delays[Math.floor(delays.length * 0.95)]).toBeLessThan(160 + SLACK_MS);
    }));

  it('is a long line and not a narrow one: a connection still carries megabytes', () =>
    onHost(async (world) => {
      expect(await world.inject({ ...HUNDRED, latencyMs: '50' })).toMatchObject(APPLIED);
      // One whose packets count as not sent while they wait carries a tenth of a megabyte.
      expect(await carriedMegabytes(world, 4)).toBeGreaterThan(2);
    }));

  it('is carried by a worker that no session of a busy host keeps waiting', () =>
    onHost(async (world) => {
      expect(await world.inject(HUNDRED)).toMatchObject(APPLIED);
      const [pid = ''] = await workersOf(world);
      expect((await world.exec(['ps', '-o', 'ni=', '-p', pid])).out.trim()).toBe('-9');
      expect(await sessionRank(world, pid)).toMatch(/^(-9|no autogroups)$/);
    }));

  it('ends with its worker, although nobody is left to revert it: packets pass at once', () =>
    onHost(async (world) => {
      expect(await world.inject(HUNDRED)).toMatchObject(APPLIED);
      await expectDelayed(world, ADDRESS.peer, ADDRESS.host, 100);
      const { supervisor, runner } = await world.pair();
      await world.exec(['kill', '-STOP', supervisor, runner]);
      await world.exec(['kill', '-KILL', ...(await workersOf(world))]);
      await expectPrompt(world, ADDRESS.peer, ADDRESS.host);
      expect((await bash(world, 'iptables-save -t mangle')).out).toContain('NFQUEUE');
      await world.exec(['kill', '-CONT', supervisor, runner]);
      expect(await world.reverted(5)).toMatchObject({ leftovers: [] });
    }));

  it('ends in the kernel when the pair and the worker are stopped', () =>
    onHost(async (world) => {
      expect(await world.inject({ ...HUNDRED, leaseGraceSeconds: '2' })).toMatchObject(APPLIED);
      const { supervisor, runner } = await world.pair();
      await world.exec(['kill', '-STOP', supervisor, runner, ...(await workersOf(world))]);
      const answered = async () =>
        (await world.far(['ping', '-c1', '-W1', '-I', ADDRESS.peer, ADDRESS.host])).code === 0;
      expect(await answered()).toBe(false);
      await until('the end of the elements', 5, answered);
      await world.exec(['kill', '-CONT', supervisor, runner]);
      expect(await world.reverted(5)).toMatchObject({ leftovers: [] });
    }));

  it('ends when packets pass that its worker could not hold', () =>
    onHost(async (world) => {
      const file = join(world.directory, 'program/bounds.py');
      writeFileSync(file, readFileSync(file, 'utf8').replace(/WORKER_HELD_BYTES = \d+/, 'WORKER_HELD_BYTES = 2000'));
      expect(await world.inject(HUNDRED)).toMatchObject(APPLIED);
      world.spawnFar(['ping', '-q', '-i0.01', '-s', '1000', '-I', ADDRESS.peer, ADDRESS.host]);
      const why = expect.stringMatching(
        /^no effect can be seen: \d+ packets passed within a second without being held$/,
      );
      const notes = expect.arrayContaining([why]);
      expect(await world.reverted(8)).toMatchObject({ revertReason: 'EFFECT_LOST', notes, leftovers: [] });
      expect(await world.log()).toMatch(/\d+ packets passed without being held/);
    }));

  it('sends on what it holds when it is reverted', () =>
    onHost(async (world) => {
      expect(await world.inject({ ...HUNDRED, latencyMs: '9000' })).toMatchObject(APPLIED);
      const pinging = world.far(['ping', '-c1', '-W8', '-I', ADDRESS.peer, ADDRESS.host]);
      await until('a held packet', 3, async () => {
        const held = await bash(world, "awk '$3 > 0' /proc/net/netfilter/nfnetlink_queue");
        return held.out !== '';
      });
      expect(await world.rollBack('revert')).toMatchObject({ state: 'REVERTED', leftovers: [] });
      expect(await pinging).toMatchObject({ code: 0 });
    }));

  it('is refused where more packets go to the peers than a worker can hold, with both numbers', () =>
    onHost(async (world) => {
      const flood = `import socket
s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM)
while True: s.sendto(b"x",("${ADDRESS.peer}",9))`;
      world.spawn(['python3', '-c', flood]);
      const before = await networkLatency.traces(world);
      const answer = await world.inject(HUNDRED);
      expect(answer).toMatchObject({
        code: 3,
        reason: expect.stringMatching(
          /^peerAddresses: \d{4,} packets a second go to the peers, a worker can hold 5000 a second/,
        ),
      });
      expect(Number(/\d+/.exec(answer.reason ?? '')?.[0])).toBeGreaterThan(5000);
      expect(await networkLatency.traces(world)).toBe(before);
    }));

  it('is not refused for what goes to others', () =>
    onHost(async (world) => {
      const flood = `import socket
s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM)
while True: s.sendto(b"x",("${ADDRESS.client}",9))`;
      world.spawn(['python3', '-c', flood]);
      expect(await world.inject(HUNDRED)).toMatchObject(APPLIED);
    }));

  it('is refused where more bytes would wait than a worker may hold', () =>
    onHost(async (world) => {
      const file = join(world.directory, 'program/bounds.py');
      writeFileSync(file, readFileSync(file, 'utf8').replace(/WORKER_HELD_BYTES = \d+/, 'WORKER_HELD_BYTES = 2000'));
      world.spawnFar(['ping', '-q', '-i0.01', '-s', '1000', '-I', ADDRESS.peer, ADDRESS.host]);
      const reason = expect.stringMatching(/^latencyMs: \d+ bytes go to the peers in 100 ms, a worker can hold 2000/);
      expect(await world.inject(HUNDRED)).toMatchObject({ code: 3, reason });
    }));

  it('is refused in production, and changes nothing', () =>
    onHost(async (world) => {
      const before = await networkLatency.traces(world);
      const reason = expect.stringMatching(
        /needs netem here, a worker in its place is for .* staging: this kernel .*unknown/,
      );
      expect(await world.inject({ ...HUNDRED, delayWorker: 'no' })).toMatchObject({ code: 3, reason });
      expect(await networkLatency.traces(world)).toBe(before);
    }));

  it('is refused without NFQUEUE, naming the modules and packages', () =>
    onHost(async (world) => {
      await world.replaceTool(
        'iptables-restore',
        `rules=$(cat); [[ $rules != *NFQUEUE* ]] || { echo 'Extension NFQUEUE revision 0 not supported' >&2; exit 2; }
/usr/sbin/iptables-restore "$@" <<<"$rules"`,
      );
      const reason = expect.stringMatching(
        /xt_NFQUEUE and nfnetlink_queue, .*kernel-modules-extra.*revision 0 not supported.*no netem/,
      );
      expect(await world.inject(HUNDRED)).toMatchObject({ code: 3, reason });
    }));

  it('is refused where its queue belongs to another process', () =>
    onHost(async (world) => {
      const hold = `held = packet_queue.opened(packet_delay.queue_of(record) + 1, 1, True)
print('held', flush=True); import time; time.sleep(60)`;
      world.spawn(onProgram(world, hold));
      await until(
        'the other process',
        5,
        async () => (await bash(world, 'cat /proc/net/netfilter/nfnetlink_queue')).out !== '',
      );
      const reason = expect.stringMatching(/^faultId: queue \d+ of the packet filter belongs to another process/);
      expect(await world.inject(HUNDRED)).toMatchObject({ code: 3, reason });
    }));

  it('is refused with a correlation, with the reason', () =>
    onHost(async (world) => {
      const reason = expect.stringMatching(/^correlationPct: must be 0 where a worker delays packets: .*no netem/);
      expect(await world.inject({ ...HUNDRED, jitterMs: '10', correlationPct: '25' })).toMatchObject({
        code: 3,
        reason,
      });
    }));
});
