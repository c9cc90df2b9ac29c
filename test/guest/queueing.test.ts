import { beforeAll, expect, it } from 'vitest';
import { ADDRESS } from '../host/wire.ts';
import { bootGuest, describeGuest, GUEST_TEST_MS, inGuest } from './guest.ts';
import { APPLIED, bash, expectDelayed, expectPrompt, LATENCY, LOSS, qdiscs, SECOND, SIX, takeBack } from './queues.ts';

describeGuest('on a kernel with netem', () => {
  beforeAll(() => bootGuest(), GUEST_TEST_MS);

  it('delays what is sent to the peers, v4 and v6, and nobody else, and gives the queues back as they were', () =>
    inGuest('network-latency', async (guest) => {
      const before = await qdiscs(guest);
      expect(await guest.inject({ ...LATENCY, peerAddresses: `${ADDRESS.peer},${SIX.peer}` })).toMatchObject(APPLIED);
      await expectDelayed(guest, ADDRESS.peer, ADDRESS.host, 200);
      await expectDelayed(guest, SIX.peer, SIX.host, 200);
      await expectPrompt(guest, ADDRESS.client, ADDRESS.host);
      await expectPrompt(guest, SIX.client, SIX.host);
      await expectPrompt(guest, SECOND.peer, SECOND.host);
      await takeBack(guest);
      await expectPrompt(guest, ADDRESS.peer, ADDRESS.host);
      await expectPrompt(guest, SIX.peer, SIX.host);
      expect(await qdiscs(guest)).toBe(before);
    }));

  it.each([['network-latency', LATENCY] as const, ['network-loss', LOSS] as const])(
    'refuses %s on an interface that has the queueing discipline of someone else, and leaves that alone',
    (kind, parameters) =>
      inGuest(kind, async (guest) => {
        await bash(guest, 'tc qdisc add dev vec0 root handle 7: tbf rate 1gbit burst 1m latency 10ms');
        const foreign = await qdiscs(guest);
        expect(foreign).toMatch(/tbf 7: dev vec0/);
        const reason = expect.stringMatching(/vec0 has the queueing discipline tbf 7:/);
        expect(await guest.inject(parameters)).toMatchObject({ code: 3, reason });
        expect(await qdiscs(guest)).toBe(foreign);
        await bash(guest, 'tc qdisc del dev vec0 root');
      }),
  );
});
