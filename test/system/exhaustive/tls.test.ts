import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ExperimentDocument } from '../../../cli/api-documents.ts';
import type { Observer } from '../../../lab/fleet/observe.ts';
import { partition, SystemUnderTest } from '../harness.ts';

const NODES = ['redis-tls-1', 'redis-tls-2', 'redis-tls-3'];
const ID = 'tls_master_cut_off';

describe('a shard that speaks TLS only, with names in its certificates and users of its own', () => {
  let system: SystemUnderTest;
  let master: string;
  let fromPeer: Observer;
  let fromStranger: Observer;
  let end: ExperimentDocument;
  let startedMs: number;

  beforeAll(async () => {
    system = new SystemUnderTest();
    master = await system.masterOf(NODES);
    for (const node of NODES) for (const port of [6379, 26379]) await system.ask(node, port, 'ACL', 'LOG', 'RESET');
    fromPeer = system.observe(master, NODES.find((node) => node !== master) ?? '');
    fromStranger = system.observe(master, 'redis-node-7');
    startedMs = Date.now();
    // Two people have to agree there, and the start is announced ahead.
    const answer = await system.postApproved({ ...partition(ID, master, NODES, 12), targetService: 'redis-tls' });
    expect(answer.body).toMatchObject({ status: 'ACCEPTED', startsAt: expect.any(String) });
    end = await system.waitUntilOver(ID);
  });
  afterAll(() => {
    fromPeer?.stop();
    fromStranger?.stop();
    system.close();
  });

  it('is experimented on like any other: cut off, failed over, measured, rolled back', () => {
    expect(end.status, JSON.stringify(end)).toBe('COMPLETED');
    expect(end.outcome, JSON.stringify(end)).toBe('CONFIRMED');
    const detailsOf = (type: string) => end.timeline.find((entry) => entry.type === type)?.details;
    expect(detailsOf('PROMOTION_OBSERVED')).toMatchObject({ shard: 'tls-shard-1', from: master });
    expect(detailsOf('PROBE_MEASURED')).toMatchObject({ provenOnImpacted: true, lostAcknowledgedWrites: 0 });
  });

  it('has its clients fenced off the old master until that is a replica, which the host sees through TLS', async () => {
    expect(end.nodes).toMatchObject([{ node: master, outcome: 'REVERTED', fence: { outcome: 'SETTLED' } }]);
    const goneMs = await fromPeer.waitFor(false, startedMs, 1_000);
    const peersBackMs = await fromPeer.waitFor(true, goneMs + 1_000, 1_000);
    const clientsBackMs = await fromStranger.waitFor(true, goneMs + 1_000, 1_000);
    expect(clientsBackMs - peersBackMs).toBeGreaterThan(500);
    expect(clientsBackMs - peersBackMs).toBeLessThan(12_000);
    expect(await system.replicationOf(master)).toContain('role:slave');
  });

  it('has denied our users nothing, with exactly the rights that README gives them', async () => {
    for (const node of NODES)
      for (const port of [6379, 26379])
        expect(await system.ask(node, port, 'ACL', 'LOG'), `${node}:${port}`).not.toMatch(/holdfast/);
  });
});
