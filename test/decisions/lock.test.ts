import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { holds } from './holds.ts';
import { type Encoded, Program } from './program.ts';

/** Longer than a sound holder is stopped, or takes to give up an apply. */
const STOPPED_SECONDS = 1.5;
const APPLIER_SECONDS = 0.5;

let program: Program;
beforeAll(() => {
  program = new Program();
});
afterAll(() => program.stop());

const seconds = (max: number) => fc.integer({ min: 0, max: max * 1000 }).map((value) => value / 1000);
const sight = fc.record({
  patience: fc.constantFrom(10, 20),
  /** How long we have waited, and how long the holder has had the lock. */
  waited: fc.oneof(seconds(1), seconds(40)),
  held: fc.oneof(seconds(2), seconds(60)),
  /** From when on it may be ended for being late; a settling one has until the end of its fence. */
  notBefore: fc.oneof(
    fc.constant(-1_000),
    seconds(60).map((ahead) => ahead - 30),
  ),
  isStopped: fc.boolean(),
  isApplier: fc.boolean(),
  at: seconds(1_000_000),
});

type Sight = typeof sight extends fc.Arbitrary<infer S> ? S : never;

const HOLDER: Encoded = { type: 'ProcessId', items: [71, '4711'] };

async function endedBy({ patience, waited, held, notBefore, isStopped, isApplier, at }: Sight): Promise<Encoded[]> {
  const state = { type: 'Waiting', since: at - waited, patience_seconds: patience, not_before: at + notBefore };
  const event = { type: 'HolderSeen', process: HOLDER, since: at - held, is_stopped: isStopped, is_applier: isApplier };
  const [answer] = await program.decideOne({ machine: 'lock', state, steps: [{ event, at }] });
  expect(answer?.state).toEqual(state);
  return answer?.effects ?? [];
}

const LITTLE = 0.002;

it.concurrent('whoever holds a lock is not ended while it is neither stopped, nor late, nor applies the fault to be reverted', () =>
  holds(
    fc.asyncProperty(sight, async (seen) => {
      const isSound =
        (!seen.isStopped || seen.held < STOPPED_SECONDS - LITTLE) &&
        (seen.held < seen.patience - LITTLE || seen.notBefore > LITTLE) &&
        (!seen.isApplier || seen.waited < APPLIER_SECONDS - LITTLE);
      if (isSound) expect(await endedBy(seen)).toEqual([]);
    }),
    500,
  ));

it.concurrent('whoever holds a lock and is stopped, or late, or applies the fault to be reverted, is ended', () =>
  holds(
    fc.asyncProperty(sight, async (seen) => {
      const isInTheWay =
        (seen.isStopped && seen.held > STOPPED_SECONDS + LITTLE) ||
        (seen.held > seen.patience + LITTLE && seen.notBefore < -LITTLE) ||
        (seen.isApplier && seen.waited > APPLIER_SECONDS + LITTLE);
      if (isInTheWay) expect(await endedBy(seen)).toEqual([{ type: 'EndHolder', process: HOLDER }]);
    }),
    500,
  ));
