import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { afterLook, type BystanderLook, type Bystanders, cascadeOf } from '../../../functions/domain/cascade.ts';
import type { Reading } from '../../../functions/domain/workflow.ts';

const SETTINGS = { clusters: 1, forSeconds: 5 };
const EVERY_MS = 2000;
type Sight = 'well' | 'broken' | 'blind' | 'stale' | 'experiment';

function reading(sight: Sight): Reading {
  const about = {
    guardrail: 'errorRatePct',
    cluster: 'c',
    limit: 0.5,
    breachWhen: 'above',
    unit: '%',
    maxAgeSeconds: 3,
  } as const;
  if (sight === 'blind') return { ...about, breached: true, reason: 'could not be read' };
  const value = sight === 'well' ? 0 : 50;
  return {
    ...about,
    value,
    ageSeconds: sight === 'stale' ? 60 : 0.2,
    breached: sight !== 'well',
    reason: `${value} %`,
  };
}
const look = (cluster: string, sight: Sight): BystanderLook => ({
  cluster,
  underExperiment: sight === 'experiment',
  readings: sight === 'experiment' ? [] : [reading(sight)],
});

/** What each look says, one every 2 s, of what was seen of each cluster. */
function cascades(history: Record<string, Sight[]>, settings = SETTINGS): (string | undefined)[] {
  const looks = Math.max(...Object.values(history).map((sights) => sights.length));
  let seen: Bystanders = new Map();
  return Array.from({ length: looks }, (_, index) => {
    const now = Object.entries(history).flatMap(([cluster, sights]) => {
      const sight = sights[index];
      return sight ? [look(cluster, sight)] : [];
    });
    seen = afterLook(seen, now, index * EVERY_MS);
    return cascadeOf(seen, settings);
  });
}
const times = (sight: Sight, count: number) => Array<Sight>(count).fill(sight);

describe('a cascade', () => {
  it('is a cluster that was well, that no experiment touches, and that is beyond a limit for long enough', () => {
    const said = cascades({ orders: ['well', ...times('broken', 4)], other: times('well', 5) });
    expect(said.slice(0, 4)).toEqual([undefined, undefined, undefined, undefined]);
    expect(said[4]).toMatch(/no experiment touches broke: orders \(errorRatePct: 50 %\)$/);
  });

  it('takes as many clusters as the configuration says', () => {
    const broken: Sight[] = ['well', ...times('broken', 6)];
    const two = { clusters: 2, forSeconds: 5 };
    expect(cascades({ a: broken, b: times('well', 7) }, two).at(-1)).toBeUndefined();
    expect(cascades({ a: broken, b: broken }, two).at(-1)).toMatch(/a \(.*; b \(/);
  });

  it('is none when nobody could look: blind says nothing of a cluster that nobody touches', () => {
    expect(cascades({ a: ['well', ...times('blind', 20)] })).toEqual(Array(21).fill(undefined));
    expect(cascades({ a: ['well', ...times('stale', 20)] })).toEqual(Array(21).fill(undefined));
  });

  const sights = fc.array(fc.constantFrom<Sight>('well', 'broken', 'blind', 'stale', 'experiment'), {
    minLength: 1,
    maxLength: 25,
  });

  it('comes all the same when some looks are blind, the first ones too', () => {
    const blindAtFirst: Sight[] = ['blind', 'stale', 'well', ...times('broken', 4)];
    expect(cascades({ a: blindAtFirst }).at(-1)).toMatch(/a \(/);
    const blindBetween: Sight[] = ['well', 'broken', 'broken', 'blind', 'broken'];
    expect(cascades({ a: blindBetween }).at(-1)).toMatch(/a \(/);
    // As long as nobody has seen it broken for so long, time alone says nothing.
    expect(cascades({ a: ['well', 'broken', ...times('blind', 20)] })).toEqual(Array(22).fill(undefined));
  });

  it('never comes of a cluster that was not well when it was first seen', () => {
    const blinds = fc.array(fc.constantFrom<Sight>('blind', 'stale'), { maxLength: 5 });
    fc.assert(
      fc.property(blinds, sights, fc.constantFrom<Sight>('broken', 'experiment'), (before, later, first) => {
        expect(cascades({ a: [...before, first, ...later] }).every((said) => said === undefined)).toBe(true);
      }),
    );
  });

  it('never comes of a cluster under experiment, nor of one that was while the guard looked', () => {
    fc.assert(
      fc.property(sights, sights, (before, after) => {
        const history: Sight[] = ['well', ...before, 'experiment', ...after];
        const from = history.indexOf('experiment');
        expect(
          cascades({ a: history })
            .slice(from)
            .every((said) => said === undefined),
        ).toBe(true);
      }),
    );
  });

  it('comes exactly when a cluster was seen beyond its limit for so long, and never well meanwhile', () => {
    fc.assert(
      fc.property(sights, fc.integer({ min: 1, max: 20 }), (later, forSeconds) => {
        const history: Sight[] = ['blind', 'well', ...later];
        for (const [index, said] of cascades({ a: history }, { clusters: 1, forSeconds }).entries()) {
          const seen = history.slice(0, index + 1);
          const sinceWell = seen.slice(seen.lastIndexOf('well') + 1);
          const looksBetween = sinceWell.lastIndexOf('broken') - sinceWell.indexOf('broken');
          const isBroken = sinceWell.includes('broken') && looksBetween * EVERY_MS >= forSeconds * 1000;
          expect(said !== undefined).toBe(isBroken && !seen.includes('experiment'));
        }
      }),
    );
  });
});
