import { afterAll, afterEach, beforeAll, expect } from 'vitest';
import type { Observer } from '../../lab/fleet/observe.ts';
import { CANARY_NODES, partition, SystemUnderTest } from './harness.ts';

/** Partitions of one node of the canary shard, each seen from a peer's network; what a test has put wrong is undone. */
export function partitions(): Partitions {
  const tests = new Partitions();
  beforeAll(() => {
    tests.system = new SystemUnderTest();
  });
  afterEach(async () => {
    for (const step of tests.undo.splice(0).reverse()) await step();
    for (const observer of tests.observers.splice(0)) observer.stop();
  });
  afterAll(() => tests.system.close());
  return tests;
}

class Partitions {
  system!: SystemUnderTest;
  readonly observers: Observer[] = [];
  readonly undo: (() => Promise<unknown>)[] = [];

  /** On a replica. @returns its observer, once the fault is there. */
  async inject(experimentId: string): Promise<{ node: string; observer: Observer }> {
    return this.injectOn(experimentId, await this.system.replicaOf(CANARY_NODES));
  }

  async injectOn(experimentId: string, node: string): Promise<{ node: string; observer: Observer }> {
    const { system } = this;
    const observer = system.observe(node, CANARY_NODES.find((other) => other !== node) ?? '');
    this.observers.push(observer);
    const startedMs = Date.now();
    const answer = await system.post(partition(experimentId, node, CANARY_NODES));
    expect(answer.body).toMatchObject({ status: 'INJECTED' });
    this.undo.push(async () => {
      await system.api.call('POST', `/api/v1/chaos/experiments/${experimentId}/abort`);
      await system.waitUntilOver(experimentId);
    });
    await observer.waitFor(false, startedMs, 1_000);
    return { node, observer };
  }
}
