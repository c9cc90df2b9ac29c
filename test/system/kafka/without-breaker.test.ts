import { afterAll, beforeAll, expect, it } from 'vitest';
import { PATIENCE_MS, run } from '../engine-examples.ts';
import { SystemUnderTest } from '../harness.ts';
import { startSystemLab } from '../set-up.ts';

/** After the other files: it has a lab of its own, in the place of theirs. */
let stop: () => Promise<void>;
let system: SystemUnderTest;
beforeAll(async () => {
  process.env.LAB_CONSUMER_BREAKER = 'off';
  stop = await startSystemLab(['kafka']);
  system = new SystemUnderTest();
});
afterAll(() => {
  delete process.env.LAB_CONSUMER_BREAKER;
  system.close();
  return stop();
});

it(
  'without a circuit breaker a slow broker takes the workers of the consumers, and the guard aborts',
  async () => {
    const { document, stderr } = await run(system, 'examples/kafka-consumer-saturation.json');
    expect(document, stderr).toMatchObject({ status: 'ABORTED', outcome: 'DEVIATED' });
    const stopped = document.timeline.find(({ type }) => type === 'GUARD_STOPPED')?.details;
    expect(stopped).toMatchObject({
      reason: 'GUARDRAIL',
      detail: expect.stringMatching(/^freeWorkersPct: .* below 15 %/),
    });
    expect(document.findings, stderr).toMatchObject([{ failureMode: 'thread pool saturation' }]);
    expect(document.nodes, stderr).toEqual([expect.objectContaining({ outcome: 'REVERTED', leftovers: [] })]);
  },
  PATIENCE_MS,
);
