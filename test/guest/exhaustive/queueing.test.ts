import { beforeAll, expect, it } from 'vitest';
import { networkLoss } from '../../host/kinds/network-loss.ts';
import { ADDRESS } from '../../host/wire.ts';
import { bootGuest, describeGuest, GUEST_TEST_MS, inGuest } from '../guest.ts';
import {
  APPLIED,
  bash,
  expectDelayed,
  expectPrompt,
  LATENCY,
  LOSS,
  pings,
  qdiscs,
  SECOND,
  takeBack,
} from '../queues.ts';

/** The latency of a fault that has no record: its id, the interface, the peer. */
const APPLY = `import sys
sys.path.insert(0, '/run/files/program')
import faults, parameters
from record import FaultRecord, State
fault_id, interface, peer = sys.argv[1:]
values = {'latencyMs': '200', 'jitterMs': '0', 'correlationPct': '0'}
digest = parameters.sha256_hex(fault_id)[:12]
record = FaultRecord(fault_id, None, 'network-latency', 'queueing', State.APPLYING, values, digest, '')
record.peers, record.facts['interfaces'] = [peer], [interface]
faults.load(record.kind).apply(record, faults.Pipes(-1, -1), 5)`;

describeGuest('on a kernel with netem', () => {
  beforeAll(() => bootGuest(), GUEST_TEST_MS);

  it('varies the latency by the jitter', () =>
    inGuest('network-latency', async (guest) => {
      const changes = { ...LATENCY, jitterMs: '100', correlationPct: '10' };
      expect(await guest.inject(changes)).toMatchObject(APPLIED);
      const { lostPct, minMs, maxMs } = await pings(guest, ADDRESS.peer, ADDRESS.host, 100);
      expect(lostPct).toBe(0);
      expect(minMs).toBeGreaterThan(99);
      expect(minMs).toBeLessThan(170);
      expect(maxMs).toBeGreaterThan(minMs + 60);
    }));

  it('works on the interface that leads to the peer, and leaves the other one alone', () =>
    inGuest('network-latency', async (guest) => {
      const first = await guest.exec(['tc', 'qdisc', 'show', 'dev', 'vec0']);
      expect(await guest.inject({ ...LATENCY, peerAddresses: SECOND.peer })).toMatchObject(APPLIED);
      await expectDelayed(guest, SECOND.peer, SECOND.host, 200);
      await expectPrompt(guest, SECOND.client, SECOND.host);
      await expectPrompt(guest, ADDRESS.peer, ADDRESS.host);
      expect(await guest.exec(['tc', 'qdisc', 'show', 'dev', 'vec0'])).toEqual(first);
    }));

  it('loses no packet when the latency is taken back', () =>
    inGuest('network-latency', async (guest) => {
      expect(await guest.inject(LATENCY)).toMatchObject(APPLIED);
      const pinged = pings(guest, ADDRESS.peer, ADDRESS.host, 400);
      await expectDelayed(guest, ADDRESS.peer, ADDRESS.host, 200);
      await takeBack(guest);
      await expectPrompt(guest, ADDRESS.peer, ADDRESS.host);
      const { lostPct, minMs, maxMs } = await pinged;
      expect([minMs < 100, maxMs > 199]).toEqual([true, true]);
      expect(lostPct).toBe(0);
    }));

  it('loses packets by netem, with a correlation, and gives the queues back as they were', () =>
    inGuest('network-loss', async (guest) => {
      const before = await networkLoss.traces(guest);
      expect(await guest.inject({ ...LOSS, packetLossPct: '50', correlationPct: '5' })).toMatchObject(APPLIED);
      expect(await guest.filter()).not.toContainEqual(expect.stringMatching(/holdfast/));
      const { lostPct } = await pings(guest, ADDRESS.peer, ADDRESS.host, 200);
      expect(lostPct).toBeGreaterThan(25);
      expect(lostPct).toBeLessThan(75);
      expect((await pings(guest, ADDRESS.client, ADDRESS.host, 200)).lostPct).toBe(0);
      await takeBack(guest);
      expect((await pings(guest, ADDRESS.peer, ADDRESS.host, 200)).lostPct).toBe(0);
      expect(await networkLoss.traces(guest)).toBe(before);
    }));

  it('gives a multi-queue interface its mq root and all its queues back, and refuses what would not come back', () =>
    inGuest('network-latency', async (guest) => {
      await bash(
        guest,
        `ip link add multi numtxqueues 4 type ifb; ip addr add 10.97.0.1/24 dev multi; ip link set multi up`,
      );
      const before = await qdiscs(guest);
      expect(before).toMatch(/qdisc mq 0: dev multi root/);
      const changes = { ...LATENCY, peerAddresses: '10.97.0.2' };
      const kernelDefault = (await guest.exec(['sysctl', '-n', 'net.core.default_qdisc'])).out;
      await guest.exec(['sysctl', '-w', 'net.core.default_qdisc=sfq']);
      expect(await guest.inject(changes)).toMatchObject({ code: 3, reason: expect.stringMatching(/multi has .* sfq/) });
      await guest.exec(['sysctl', '-w', `net.core.default_qdisc=${kernelDefault}`]);
      expect(await guest.inject(changes)).toMatchObject(APPLIED);
      expect(await qdiscs(guest)).toMatch(/qdisc prio [4-7]...: dev multi root/);
      await takeBack(guest);
      expect(await qdiscs(guest)).toBe(before);
      await guest.exec(['ip', 'link', 'del', 'multi']);
    }));

  it('finds its queue by the mark when the record is lost, and takes nobody else’s', () =>
    inGuest('network-latency', async (guest) => {
      const before = await qdiscs(guest);
      const apply = (faultId: string, name: string) =>
        guest.exec(['/usr/bin/python3', '-B', '-c', APPLY, faultId, name, ADDRESS.peer], {
          PATH: '/usr/sbin:/usr/bin',
        });
      expect(await apply('other.1', 'vec1')).toMatchObject({ code: 0 });
      const others = await qdiscs(guest);
      expect(await apply(guest.faultId, 'vec0')).toMatchObject({ code: 0 });
      await expectDelayed(guest, ADDRESS.peer, ADDRESS.host, 200);
      const reason = expect.stringMatching(/found by its mark/);
      expect(await guest.rollBack('revert')).toMatchObject({ code: 0, state: 'REVERTED', reason });
      await expectPrompt(guest, ADDRESS.peer, ADDRESS.host);
      expect(await qdiscs(guest)).toBe(others);
      await bash(guest, 'tc qdisc del dev vec1 root');
      expect(await qdiscs(guest)).toBe(before);
    }));
});
