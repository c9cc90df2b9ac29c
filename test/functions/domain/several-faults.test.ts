import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Experiment } from '../../../functions/domain/experiment.ts';
import { FAULT_KINDS } from '../../../functions/domain/faults/catalogue.ts';
import { parseExperiment } from '../../../functions/domain/parse-experiment.ts';
import { named, seedPayload } from './experiment-fixtures.ts';
import { actionOf } from './kind-parameters.ts';

const LIMITS = {
  'redis-master': { maxDurationSeconds: 300, budgets: { unavailableSeconds: 30 } },
  'redis-small': { maxDurationSeconds: 30, budgets: { unavailableSeconds: 30 } },
};
const { targetService, action, parameters, ...common } = seedPayload();
const pause = (node: string, more: object = {}) => ({
  targetService: 'redis-master',
  action: 'PROCESS_PAUSE',
  parameters: { targetNodes: [node] },
  ...more,
});
const parse = (faults: unknown, more: object = {}) =>
  parseExperiment(JSON.stringify({ ...common, faults, ...more }), LIMITS);

function errorsOf(faults: unknown, more: object = {}) {
  const parsed = parse(faults, more);
  return parsed.ok ? [] : (parsed.problem.errors ?? []);
}
const fieldsOf = (faults: unknown, more: object = {}) => errorsOf(faults, more).map(({ field }) => field);

function accepted(faults: unknown): Experiment {
  const parsed = parse(faults);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problem));
  return named(parsed.experiment);
}

describe('an experiment of several faults', () => {
  it('adds the offsets up along after, and names a fault by its position when the payload does not', () => {
    const { faults } = accepted([
      pause('a', { name: 'first' }),
      pause('b', { after: 'first', offsetSeconds: 10 }),
      pause('c', { name: 'third', after: '2', offsetSeconds: 5 }),
      pause('d', { targetService: 'redis-other', offsetSeconds: 3 }),
    ]);
    expect(faults.map(({ faultId, name, cluster, startSeconds }) => [faultId, name, cluster, startSeconds])).toEqual([
      ['exp_chaos_redis_019.1', 'first', 'redis-master', 0],
      ['exp_chaos_redis_019.2', '2', 'redis-master', 10],
      ['exp_chaos_redis_019.3', 'third', 'redis-master', 15],
      ['exp_chaos_redis_019.4', '4', 'redis-other', 3],
    ]);
  });

  it('is the same experiment in both forms when it has one fault', () => {
    const seed = parseExperiment(JSON.stringify(seedPayload()), LIMITS);
    expect(parse([{ targetService, action, parameters }])).toEqual(seed);
  });

  it('refuses both forms at once, and says which field is too much', () => {
    expect(fieldsOf([pause('a')], { action: 'PROCESS_KILL', targetService: 'redis-master' })).toEqual([
      'targetService',
      'action',
    ]);
  });

  it.each([
    [[], 'faults'],
    ['x', 'faults'],
    [null, 'faults'],
    [[null], 'faults.0'],
    [Array.from({ length: 11 }, (_, index) => pause(`n${index}`)), 'faults'],
    [[pause('a'), pause('b', { after: 'nobody' })], 'faults.1.after'],
    [[pause('a', { after: '1' })], 'faults.0.after'],
    [[pause('a', { after: '2' }), pause('b')], 'faults.0.after'],
    [[pause('a', { name: 'x' }), pause('b', { name: 'x' })], 'faults.1.name'],
    [[pause('a', { name: '2' }), pause('b')], 'faults.1.name'],
    [[pause('a', { name: 'a b' })], 'faults.0.name'],
    [[pause('a'), pause('b', { offsetSeconds: 60 })], 'faults.1.offsetSeconds'],
    [[pause('a'), pause('b', { offsetSeconds: -1 })], 'faults.1.offsetSeconds'],
    [[pause('a', { offsetSeconds: 1 })], 'faults.0.offsetSeconds'],
    [[pause('a', { ofsetSeconds: 1 })], 'faults.0.ofsetSeconds'],
    [[pause('a'), pause('b', { targetService: '' })], 'faults.1.targetService'],
    [[pause('a'), pause('b', { action: 'PROCESS_STOP' })], 'faults.1.action'],
    [[pause('a'), pause('b', { parameters: { targetNodes: ['a b'] } })], 'faults.1.parameters.targetNodes.0'],
    [[pause('a'), pause('b', { parameters: undefined })], 'faults.1.parameters'],
  ])('refuses %j and names %s', (faults, field) => {
    const errors = errorsOf(faults);
    expect(errors.map((error) => error.field)).toEqual([field]);
    expect(errors[0]?.allowed).not.toMatch(/^$|see the documentation/);
  });

  it('refuses a start that only the offsets of others push past the end', () => {
    const chain = [pause('a'), pause('b', { offsetSeconds: 30 }), pause('c', { after: '2', offsetSeconds: 30 })];
    expect(fieldsOf(chain)).toEqual(['faults.2.offsetSeconds']);
  });

  it('names every wrong field of every fault in one answer', () => {
    const faults = [
      pause('a', { parameters: { targetNodes: [] } }),
      { targetService: 'redis-master', action: 'NETWORK_LATENCY', parameters: { targetNodes: ['a'], latencyMs: 0 } },
      { action: 'CPU_SPIKE' },
    ];
    expect(fieldsOf(faults, { durationSeconds: 0 }).toSorted()).toEqual([
      'durationSeconds',
      'faults.0.parameters.targetNodes',
      'faults.1.parameters.latencyMs',
      'faults.2.parameters',
      'faults.2.targetService',
    ]);
  });

  it('is no longer than the strictest of its clusters allows', () => {
    const [error] = errorsOf([pause('a'), pause('b', { targetService: 'redis-small' })]);
    expect(error).toMatchObject({ field: 'durationSeconds', allowed: 'a whole number from 1 to 30' });
  });

  it('refuses two faults on one node that work on the same thing, and any beside one that takes the instance', () => {
    const on = (kind: string, more: object = {}, node = 'a') => ({
      targetService: 'redis-master',
      action: kind,
      parameters: { targetNodes: [node], ...more },
    });
    const cpu = on('CPU_SPIKE', { cores: 1 });
    expect(fieldsOf([pause('a'), on('PROCESS_KILL')])).toEqual(['faults.1.parameters']);
    expect(fieldsOf([on('NETWORK_LOSS', { packetLossPct: 5 }), on('NETWORK_LATENCY', { latencyMs: 5 })])).toEqual([
      'faults.1.parameters',
    ]);
    expect(fieldsOf([cpu, on('INSTANCE_STOP')])).toEqual(['faults.1.parameters']);
    expect(fieldsOf([on('INSTANCE_REBOOT'), cpu])).toEqual(['faults.1.parameters']);
    expect(fieldsOf([on('VOLUME_PAUSE_IO'), on('VOLUME_LATENCY', { latencyMs: 5 })])).toEqual(['faults.1.parameters']);
    expect(fieldsOf([pause('a'), cpu, on('PROCESS_KILL', {}, 'b')])).toEqual([]);
    expect(fieldsOf([pause('a'), { ...on('PROCESS_KILL'), targetService: 'redis-other' }])).toEqual([]);
  });
});

describe('any list of faults', () => {
  const durationSeconds = 120;
  const item = fc.record({
    fault: actionOf(FAULT_KINDS),
    cluster: fc.constantFrom('redis-master', 'redis-a', 'redis-b', 'redis-c'),
    name: fc.option(fc.constantFrom('x', 'y', 'z', '2'), { nil: undefined, freq: 4 }),
    after: fc.option(fc.constantFrom('1', '2', 'x', 'y'), { nil: undefined, freq: 2 }),
    offsetSeconds: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 70 })),
  });
  const list = fc
    .array(item, { minLength: 1, maxLength: 6 })
    .map((items) => items.map(({ fault, cluster, ...order }) => ({ ...fault, ...order, targetService: cluster })));

  it('starts no fault before the one it comes after, none at or after the end, and one at once', () => {
    let several = 0;
    fc.assert(
      fc.property(list, (faults) => {
        const parsed = parse(faults, { durationSeconds });
        if (!parsed.ok) return;
        const made = parsed.experiment.faults;
        if (made.some(({ startSeconds }) => startSeconds > 0)) several += 1;
        expect(Math.min(...made.map(({ startSeconds }) => startSeconds))).toBe(0);
        expect(new Set(made.map(({ name }) => name)).size).toBe(made.length);
        for (const [position, { after, offsetSeconds }] of faults.entries()) {
          const startSeconds = made[position]?.startSeconds ?? Number.NaN;
          const before =
            after === undefined ? 0 : (made.find(({ name }) => name === after)?.startSeconds ?? Number.NaN);
          expect(startSeconds).toBe(before + offsetSeconds);
          expect(startSeconds).toBeGreaterThanOrEqual(before);
          expect(startSeconds).toBeLessThan(durationSeconds);
        }
      }),
      { numRuns: 2_000 },
    );
    // About 70, give or take 8: chance alone never fails this.
    expect(several).toBeGreaterThan(20);
  });

  it('comes back the same when an accepted experiment is written as a payload again', () => {
    fc.assert(
      fc.property(list, (faults) => {
        const parsed = parse(faults, { durationSeconds });
        if (!parsed.ok) return;
        const again = parsed.experiment.faults.map(({ name, cluster, startSeconds, parameters: { kind, ...own } }) => ({
          name,
          targetService: cluster,
          action: kind,
          parameters: own,
          offsetSeconds: startSeconds,
        }));
        expect(parse(again, { durationSeconds })).toEqual(parsed);
        expect(JSON.parse(JSON.stringify(parsed.experiment))).toEqual(parsed.experiment);
      }),
      { numRuns: 500 },
    );
  });

  it('is answered, never thrown at, whatever JSON it is', () => {
    const json = fc.json({ maxDepth: 4 });
    const shaped = fc.record(
      { ...Object.fromEntries(Object.keys(common).map((key) => [key, fc.jsonValue()])), faults: fc.jsonValue() },
      { requiredKeys: [] },
    );
    const nearly = fc.array(
      fc.record(
        {
          targetService: fc.oneof(fc.constant('redis-master'), fc.jsonValue()),
          action: fc.oneof(fc.constantFrom(...FAULT_KINDS), fc.jsonValue()),
          parameters: fc.oneof(
            fc.dictionary(
              fc.constantFrom('targetNodes', 'toNodes', 'targetPartitionGroupA', 'latencyMs', 'jitterMs', 'ports'),
              fc.jsonValue(),
            ),
            fc.jsonValue(),
          ),
          name: fc.jsonValue(),
          after: fc.jsonValue(),
          offsetSeconds: fc.jsonValue(),
        },
        { requiredKeys: [] },
      ),
    );
    const body = fc.oneof(
      json,
      shaped.map((value) => JSON.stringify(value)),
      nearly.map((faults) => JSON.stringify({ ...common, faults })),
      nearly.map(([first]) => JSON.stringify({ ...common, ...first })),
    );
    fc.assert(
      fc.property(body, (text) => {
        const parsed = parseExperiment(text, LIMITS);
        if (!parsed.ok) expect(parsed.problem.errors?.length).toBeGreaterThan(0);
      }),
      { numRuns: 2_000 },
    );
    expect(parseExperiment(`${'['.repeat(60_000)}`, {}).ok).toBe(false);
    expect(parseExperiment(`{"faults":${'['.repeat(30_000)}${']'.repeat(30_000)}}`, {}).ok).toBe(false);
  });
});
