import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { changedNodes, requireAdmitted, requireAdmittedTargets } from '../../../functions/domain/admitted.ts';
import { asJson } from '../../../functions/domain/digest.ts';
import { admittedLog, resolvedTargetsOf } from './admitted-fixtures.ts';
import { experimentOf, hostFault } from './experiment-fixtures.ts';
import { logAfter } from './fixtures.ts';
import { roleIn } from './target-fixtures.ts';

const experiment = experimentOf([hostFault(1, 0), hostFault(2, 10)]);
const targets = resolvedTargetsOf(experiment);
const entries = admittedLog(experiment);

/** Every way in which one value somewhere in the document is another one. */
function changesOf(document: unknown): unknown[] {
  if (Array.isArray(document)) {
    return document.flatMap((item, index) => changesOf(item).map((other) => document.with(index, other)));
  }
  if (document === null || typeof document !== 'object') {
    return [typeof document === 'number' ? document + 1 : typeof document === 'boolean' ? !document : `${document}'`];
  }
  return Object.entries(document).flatMap(([key, value]) =>
    changesOf(value).map((other) => ({ ...document, [key]: other })),
  );
}

describe('what runs', () => {
  it('is what was admitted, in whatever order its fields and addresses are written', () => {
    expect(requireAdmittedTargets(entries, asJson({ experiment, targets }))).toEqual(targets);
    fc.assert(
      fc.property(fc.shuffledSubarray(Object.keys(experiment), { minLength: 4 }), (keys) => {
        const shuffled = Object.fromEntries(keys.map((key) => [key, experiment[key as keyof typeof experiment]]));
        expect(requireAdmitted(entries, shuffled as unknown as typeof experiment).experiment).toEqual(experiment);
      }),
    );
    const turned = asJson(targets);
    for (const node of turned.faults.flatMap(({ impacted }) => impacted)) node.addresses.reverse();
    expect(requireAdmittedTargets(entries, { experiment, targets: turned })).toEqual(targets);
  });

  it('is refused when anything of the experiment is another', () => {
    const others = changesOf(experiment);
    expect(others.length).toBeGreaterThan(20);
    for (const other of others)
      expect(() => requireAdmitted(entries, other as typeof experiment), JSON.stringify(other)).toThrow(
        /another experiment/,
      );
  });

  it('is refused when anything of its targets is another', () => {
    const others = changesOf(targets);
    expect(others.length).toBeGreaterThan(20);
    for (const other of others) {
      const run = { experiment, targets: other as typeof targets };
      expect(() => requireAdmittedTargets(entries, run), JSON.stringify(other)).toThrow(/not those that were resolved/);
    }
  });

  it('is refused when other nodes were resolved than admitted, when none were, and when an id was admitted twice', () => {
    const elsewhere = resolvedTargetsOf(experimentOf([hostFault(3, 0), hostFault(2, 10)]));
    const moved = logAfter(entries, ['TARGETS_RESOLVED', { targets: elsewhere }]);
    expect(() => requireAdmittedTargets(moved, { experiment, targets: elsewhere })).toThrow(
      /other nodes were admitted/,
    );
    expect(() => requireAdmittedTargets(entries.slice(0, 1), { experiment, targets })).toThrow(/not resolved/);
    expect(() => requireAdmitted([...entries, ...entries], experiment)).toThrow(/more than one/);
    expect(() => requireAdmitted([], experiment)).toThrow(/nothing was admitted/);
  });

  it('is told by the names of the nodes that are not what they were at admission', () => {
    const now = asJson(targets.faults);
    expect(changedNodes(targets.faults, now)).toEqual([]);
    Object.assign(now[0]?.impacted[0] ?? {}, { roles: [roleIn('shard-1', 'master')] });
    now[1]?.impacted.splice(0);
    expect(changedNodes(targets.faults, now)).toEqual(['exp.1: node-1', 'exp.2: node-2']);
  });
});
