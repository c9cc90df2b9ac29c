import { afterAll, beforeAll, expect, it } from 'vitest';
import { checkIn, expectNothingNoticed, lostIn, PATIENCE_MS, run } from '../../engine-examples.ts';
import { SystemUnderTest } from '../../harness.ts';
import { startSystemLab } from '../../set-up.ts';

const [ONE, GONE, NEW] = ['cassandra-node-1', 'cassandra-node-3', 'cassandra-node-4'];
/** Of Cassandra itself: for news of the node that it replaces, and for others to hear of it. */
const WAITS_SECONDS = 60 + 30;

/** After the other files: it has a lab of its own, in the place of theirs. */
let stop: () => Promise<void>;
let system: SystemUnderTest;
beforeAll(async () => {
  stop = await startSystemLab(['cassandra-replaceable']);
  system = new SystemUnderTest();
});
afterAll(() => {
  system.close();
  return stop();
});

const instances = () => system.control('GET', '/instances') as Promise<Record<string, string>>;
/** By the ring itself: address and rack of each node that is up and has its place. */
async function ringNow(): Promise<string[]> {
  const { stdout } = await system.on(ONE, 'nodetool', 'status');
  return stdout
    .split('\n')
    .filter((line) => line.startsWith('UN'))
    .map((line) => line.split(/\s+/))
    .map((words) => `${words[1]} ${words.findLast(Boolean)}`)
    .sort();
}

it(
  'an instance that never comes back is replaced unnoticed: a new one has its place in the ring, and the run says when',
  async () => {
    expect(await instances()).not.toHaveProperty(NEW);
    // Once in a lab: another attempt would find the instance gone.
    const { document, stderr } = await run(system, 'examples/cassandra-node-replaced.json');
    expect(document, stderr).toMatchObject({ status: 'COMPLETED', outcome: 'CONFIRMED', findings: [] });
    expect(lostIn(document)).toBe(0);
    expectNothingNoticed(document);
    expect(checkIn(document, 'the others notice').measured).toBe(2);
    expect(await instances()).toMatchObject({ [GONE]: 'terminated', [NEW]: 'running' });
    expect(await ringNow()).toEqual([
      '10.77.0.41 cassandra-node-1',
      '10.77.0.42 cassandra-node-2',
      `10.77.0.44 ${GONE}`,
    ]);
    const verified = document.timeline.find(({ type }) => type === 'RECOVERY_VERIFIED');
    const repairs = (verified?.details.repairs ?? []) as string[];
    const [, seconds] =
      /^cassandra-node-4 \(i-\w+\): has its place in the store, at most (\d+) s after/.exec(repairs[0] ?? '') ?? [];
    process.stderr.write(`${repairs[0]}\n`);
    expect(Number(seconds)).toBeGreaterThan(WAITS_SECONDS);
    expect(Number(seconds)).toBeLessThan(300);
  },
  PATIENCE_MS,
);
