import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { renderFailovers } from '../../bench/render-failovers.ts';
import { renderNightly } from '../../bench/render-nightly.ts';
import { FAILOVERS, NIGHTLY, sectionOf, sectionsOf, withSection, withSections } from '../../bench/sections.ts';
import { ASSUMPTION } from '../../cli/campaign/campaign-document.ts';
import { evaluate } from '../../cli/campaign/evaluate.ts';
import { parseExperiment } from '../../functions/domain/parse-experiment.ts';
import { runOf } from '../cli/runs/run-fixtures.ts';

const provenance = { machine: '2 cores', date: '2026-01-01', commit: 'abc1234' };

describe('the nightly section', () => {
  const tiers = [
    { tier: 'host', passed: 3, failed: 1, skipped: 0, seconds: 12 },
    { tier: 'guest', passed: 0, failed: 0, skipped: 0, seconds: 0, notRun: 'needs root' },
  ];
  const section = renderNightly({ ...provenance, seconds: 3600, tiers });

  test('names machine, date, commit and what every tier came to', () => {
    expect(section).toContain('60 minutes. Machine: 2 cores. Date: 2026-01-01. Commit: abc1234.');
    expect(section).toContain('| host | 3 | 1 | 0 | 12 |');
    expect(section).toContain('| guest | not run: needs root | | | |');
  });
});

describe('the section of the failovers', () => {
  const runs = Array.from({ length: 59 }, (_, at) => runOf(`failover-${at + 1}`, 4 + at / 100));
  const document = { campaign: 'failover', runsAsked: 59, runs, endedEarly: null, assumption: ASSUMPTION };
  const section = renderFailovers({
    ...provenance,
    seconds: 5400,
    document: { ...document, ...evaluate(runs, new Map(), runs.length) },
  });

  test('says what was done how often and where, what came of it and what may be claimed', () => {
    expect(section).toContain('90 minutes');
    expect(section).toContain('for 20 s, 59 times');
    expect(section).toContain('Outcomes: CONFIRMED 59. Machine: 2 cores. Date: 2026-01-01. Commit: abc1234.');
    expect(section).toContain('| rtoSeconds | s | 59 | 4 | 4.29 | 4.53 | 4.58 |');
    expect(section).not.toContain('peakLatencyMs');
    expect(section).toContain(
      '- rtoSeconds P95 ≤ 15 s: may be claimed, 59 of 59 runs within it; the lowest limit that may is 4.58 s',
    );
    expect(section).toContain('- rtoSeconds P99 ≤ 15 s: not yet claimable with 59 runs, 299 needed');
    expect(section).toContain('independent of each other and alike');
  });

  test('has an experiment that the API would take, on the master of the canary shard', () => {
    const parsed = parseExperiment(readFileSync('bench/failover.json', 'utf8'), {});
    expect(parsed).toMatchObject({ ok: true, experiment: { faults: [{ impactedNodes: ['redis-node-3'] }] } });
  });
});

describe('sections that are written apart', () => {
  const one = `${FAILOVERS.heading}\n\n59 runs\n`;
  const other = `${NIGHTLY.heading}\n\n$& all passed\n`;
  const both = new Map([
    [FAILOVERS.heading, one],
    [NIGHTLY.heading, other],
  ]);
  const before = withSections('# Benchmarks\n\nold\n', both);

  test('outlive a new report', () => {
    expect(before).toBe(`# Benchmarks\n\nold\n\n${one}\n${other}`);
    expect(withSections('# Benchmarks\n\nnew\n', sectionsOf(before))).toBe(`# Benchmarks\n\nnew\n\n${one}\n${other}`);
  });

  test('are written anew each by itself, and the rest of the document stays', () => {
    const anew = `${FAILOVERS.heading}\n\n3 runs\n`;
    expect(withSection(before, FAILOVERS, anew)).toBe(`# Benchmarks\n\nold\n\n${anew}\n${other}`);
    expect(withSection(before, NIGHTLY, anew)).toBe(`# Benchmarks\n\nold\n\n${one}\n${anew}`);
    expect(withSection(before, FAILOVERS, one)).toBe(before);
  });

  test('say which command writes them while there are none', () => {
    const document = withSections('# Benchmarks\n', sectionsOf('# Benchmarks\n'));
    expect(sectionOf(document, FAILOVERS)).toContain('Not run yet. `npm run bench:failovers` writes its result here.');
    expect(sectionOf(document, NIGHTLY)).toContain('Not run yet. `npm run test:nightly` writes its result here.');
    expect(withSection(document, NIGHTLY, other)).toContain(other);
  });
});
