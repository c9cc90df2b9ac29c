import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { REDIS_HOSTS } from '../../../lab/fleet/redis/hosts.ts';
import { exampleFiles } from '../../../lib/example-table.ts';
import { expectEnd, PATIENCE_MS, run } from '../engine-examples.ts';
import { SystemUnderTest } from '../harness.ts';
import type { RunDocument } from '../lab-run.ts';
import { startSystemLab } from '../set-up.ts';

const BULKHEAD = 'gateway-thread-pool.json';
const NO_BULKHEAD = 'gateway-thread-pool-no-bulkhead.json';

/** In a lab of its own, in the place of that of the other files: its gateways are set as these variables say. */
function describeIn(variables: Readonly<Record<string, string>>, test: (system: () => SystemUnderTest) => void): void {
  describe(JSON.stringify(variables), () => {
    let stop: () => Promise<void>;
    let system: SystemUnderTest;
    beforeAll(async () => {
      Object.assign(process.env, variables);
      stop = await startSystemLab(['redis']);
      system = new SystemUnderTest();
    });
    afterAll(() => {
      for (const name of Object.keys(variables)) delete process.env[name];
      system.close();
      return stop();
    });
    test(() => system);
  });
}

const stoppedIn = ({ timeline }: RunDocument) => timeline.find(({ type }) => type === 'GUARD_STOPPED')?.details;

it('every example of gateways has its test here', () => {
  const files = exampleFiles(new URL('../../../examples/', import.meta.url));
  expect(files.filter((name) => name.startsWith('gateway-'))).toEqual([NO_BULKHEAD, BULKHEAD]);
});

describeIn({ LAB_REDIS_CLIENT: 'default' }, (system) => {
  it(
    'with a bulkhead a shard that does not answer takes its own workers, and the other shards are as quick as before',
    async () => {
      // Two of its checks: workers of the slow shard run out, those of the gateway do not.
      await expectEnd(system(), REDIS_HOSTS, BULKHEAD, { outcome: 'CONFIRMED', losesNothing: true });
    },
    PATIENCE_MS,
  );
});

describeIn({ LAB_REDIS_CLIENT: 'default', LAB_GATEWAY_BULKHEAD: 'off' }, (system) => {
  it(
    'without a bulkhead a shard that does not answer takes the workers of all, and the guard aborts',
    async () => {
      const { document, stderr } = await run(system(), `examples/${NO_BULKHEAD}`);
      expect(document, stderr).toMatchObject({ status: 'ABORTED', outcome: 'DEVIATED' });
      expect(stoppedIn(document)).toMatchObject({
        reason: 'GUARDRAIL',
        detail: expect.stringMatching(/^freeWorkersPct: .* below 15 %/),
      });
      expect(document.findings, stderr).toMatchObject([{ failureMode: 'thread pool saturation' }]);
      expect(document.nodes, stderr).toEqual([expect.objectContaining({ outcome: 'REVERTED', leftovers: [] })]);
    },
    PATIENCE_MS,
  );
});
