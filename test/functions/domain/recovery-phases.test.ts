import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type FailoverNews, type RecoverySeen, recoveryPhases } from '../../../functions/domain/recovery-phases.ts';

const said = (what: FailoverNews['what'], atMs: number, by = 'node-1'): RecoverySeen['news'][number] => ({
  ...{ what, atMs, uncertaintyMs: 200, text: `Sentinel of ${by}: ${what}` },
});
/** One look a second, from second 0 on; `?` is one that says nothing. */
const copies = (text: string): RecoverySeen['copies'] =>
  [...text].map((mark, second) => ({ atMs: 1000 * second, count: mark === '?' ? undefined : Number(mark) }));
const seen = (changes: Partial<RecoverySeen> = {}): RecoverySeen => ({
  faultAtMs: 10_000,
  news: [],
  copies: [],
  ...changes,
});
const replicated = (text: string) =>
  recoveryPhases(seen({ faultAtMs: 2500, copies: copies(text) })).map(({ atMs, uncertaintyMs }) => [
    atMs,
    uncertaintyMs,
  ]);

describe('the phases of a recovery', () => {
  it('are detected, elected, clients recovered and fully replicated, each with what dates it', () => {
    const phases = recoveryPhases(
      seen({
        news: [
          ...[said('SUSPECTED', 12_100), said('DETECTED', 12_400, 'node-2'), said('DETECTED', 12_600)],
          ...[said('ELECTED', 13_000), said('ELECTED', 13_500, 'node-2')],
        ],
        clients: { recoveredAtMs: 14_000, lastFailureAtMs: 13_949 },
        copies: copies(`${'2'.repeat(12)}1111${'2'.repeat(9)}`),
      }),
    );
    expect(phases).toEqual([
      {
        ...{ phase: 'DETECTED', atMs: 12_400, uncertaintyMs: 200 },
        event: 'Sentinel of node-2: DETECTED; 300 ms before: Sentinel of node-1: SUSPECTED',
      },
      { phase: 'ELECTED', atMs: 13_000, uncertaintyMs: 200, event: 'Sentinel of node-1: ELECTED' },
      { phase: 'CLIENTS_RECOVERED', atMs: 14_000, uncertaintyMs: 51, event: expect.stringMatching(/probe/) },
      { phase: 'FULLY_REPLICATED', atMs: 16_000, uncertaintyMs: 1000, event: expect.stringMatching(/2 copies/) },
    ]);
  });

  it('that nobody saw are absent: a fault too short for a failover has no election, and a client that lost nothing no recovery', () => {
    expect(recoveryPhases(seen())).toEqual([]);
    const doubted = recoveryPhases(seen({ news: [said('SUSPECTED', 12_000)] }));
    expect(doubted).toEqual([]);
    const undecided = recoveryPhases(seen({ news: [said('DETECTED', 12_000)] }));
    expect(undecided.map(({ phase }) => phase)).toEqual(['DETECTED']);
  });

  it('are none of what came before the fault', () => {
    expect(recoveryPhases(seen({ news: [said('DETECTED', 9000), said('ELECTED', 9500)] }))).toEqual([]);
    const [detected] = recoveryPhases(seen({ news: [said('DETECTED', 10_050)] }));
    expect(detected?.uncertaintyMs).toBe(50);
  });

  it.each([
    ['as many again', '22211222', [[5000, 1000]]],
    ['more than before', '22211333', [[5000, 1000]]],
    ['lost again after they were back', '222121122', [[7000, 1000]]],
    ['back, with looks between that say nothing', '2221??22', [[6000, 3000]]],
    ['back, with a look after that says nothing', '22212?22', [[6000, 3000]]],
    ['never fewer', '22222222', []],
    ['never seen fewer', '222??222', []],
    ['not back', '22211111', []],
    ['lost again at the end', '22211221', []],
    ['not known at the end', '2221122?', []],
    ['not known before', '???11222', []],
    ['last known before the fault, not once before that', '32?11222', [[5000, 1000]]],
  ])('say full replication from when on copies are there for good: %s', (_what, looks, expected) => {
    expect(replicated(looks)).toEqual(expected);
  });

  it('come in the order of time, none before the fault, and none less certain than since the fault', () => {
    const at = fc.integer({ min: 0, max: 60_000 });
    const news = fc.array(
      fc.record({
        what: fc.constantFrom<FailoverNews['what']>('SUSPECTED', 'DETECTED', 'ELECTED'),
        ...{ atMs: at, uncertaintyMs: fc.integer({ min: 0, max: 5000 }), text: fc.constant('x') },
      }),
    );
    const looks = fc.array(fc.constantFrom(...'012?')).map((marks) => copies(marks.join('')));
    const clients = fc.option(at, { nil: undefined });
    fc.assert(
      fc.property(news, looks, clients, fc.integer({ min: 0, max: 30_000 }), (heard, counted, recovered, faultAtMs) => {
        const phases = recoveryPhases({
          ...{ faultAtMs, copies: counted, news: heard.toSorted((a, b) => a.atMs - b.atMs) },
          ...(recovered === undefined
            ? {}
            : { clients: { recoveredAtMs: faultAtMs + recovered, lastFailureAtMs: faultAtMs + recovered - 50 } }),
        });
        expect(phases).toEqual(phases.toSorted((a, b) => a.atMs - b.atMs));
        expect(new Set(phases.map(({ phase }) => phase)).size).toBe(phases.length);
        for (const { phase, atMs, uncertaintyMs } of phases) {
          expect(atMs).toBeGreaterThanOrEqual(faultAtMs);
          expect(uncertaintyMs).toBeGreaterThanOrEqual(0);
          expect(uncertaintyMs, phase).toBeLessThanOrEqual(atMs - faultAtMs);
        }
        const elected = heard.some(({ what, atMs }) => what === 'ELECTED' && atMs >= faultAtMs);
        expect(phases.some(({ phase }) => phase === 'ELECTED')).toBe(elected);
      }),
    );
  });
});
