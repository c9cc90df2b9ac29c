import { describe, expect, test } from 'vitest';
import { compareRuns } from '../../../cli/compare/compare.ts';
import { readSide } from '../../../cli/compare/read-side.ts';
import { renderComparison } from '../../../cli/compare/render-comparison.ts';
import { plainPaint } from '../../../cli/render.ts';
import { measuresOf } from '../../../cli/runs/measures.ts';
import { type RunDocument, runSchema, runSummary } from '../../../cli/runs/run-document.ts';
import { brokers, LEADER_OF_ORDERS } from '../dry-run-fixture.ts';
import { runOf } from '../runs/run-fixtures.ts';

const shown = (a: RunDocument[], b: RunDocument[]) => renderComparison(compareRuns(a, b), plainPaint);
const measureOf = (a: RunDocument[], b: RunDocument[], name: string) =>
  compareRuns(a, b).measures.find(({ measure }) => measure === name);

describe('the measures of a run', () => {
  const latency = (p99: number) => ({
    writeMs: { count: 9, p50: 1, p90: 2, p99, max: 30, failed: 1 },
    readMs: { count: 9, p50: 1, p90: 2, p99: 3, max: 4, failed: 5 },
  });
  const probe = (shard: string, p99: number, electedSeconds?: number) => ({
    cluster: 'redis',
    shard,
    acknowledgedWrites: 100,
    failedWrites: 2,
    latency: latency(p99),
    phases: [
      { phase: 'DETECTED', secondsAfterFault: 1.5 },
      ...(electedSeconds === undefined ? [] : [{ phase: 'ELECTED', secondsAfterFault: electedSeconds }]),
    ],
  });
  const valueIn = (run: RunDocument, name: string) => measuresOf(run).find((each) => each.name === name)?.value;

  test('are added up over shards where they are counts, and the worst of all shards where they are times', () => {
    const run = runOf('e', 4.5, { probes: [probe('shard-1', 12, 3), probe('shard-2', 14, 2)] });
    expect(valueIn(run, 'acknowledgedWrites')).toBe(200);
    expect(valueIn(run, 'failedReads')).toBe(10);
    expect(valueIn(run, 'writeP99Ms')).toBe(14);
    expect(valueIn(run, 'electedSeconds')).toBe(3);
    expect(valueIn(run, 'detectedSeconds')).toBe(1.5);
  });

  test('of a check are its worst value in its own unit, and when it held', () => {
    const check = {
      name: 'lag',
      cluster: 'redis',
      unit: 'ms',
      result: 'HELD' as const,
      measured: 80,
      heldAfterSeconds: 3,
    };
    const run = runOf('e', 4.5, { checks: [check] });
    expect(valueIn(run, 'check lag')).toBe(80);
    expect(valueIn(run, 'check lag held after')).toBe(3);
  });

  test('are not known where one shard has none: there it may have been worse', () => {
    const run = runOf('e', 4.5, { probes: [probe('shard-1', 12, 3), probe('shard-2', 14)] });
    expect(valueIn(run, 'electedSeconds')).toBeUndefined();
    expect(valueIn(run, 'clientsRecoveredSeconds')).toBeUndefined();
    expect(valueIn(runOf('e', undefined), 'rtoSeconds')).toBeUndefined();
  });

  test('are the same from the API and from the document of --json', () => {
    const run = runOf('e', 4.5);
    expect(measuresOf(runSchema.parse(JSON.parse(JSON.stringify(runSummary(run)))))).toEqual(measuresOf(run));
  });
});

describe('two runs', () => {
  test('show both values, the difference and the ratio, with units', () => {
    const lines = shown([runOf('before', 8)], [runOf('after', 4.5)]);
    const row = lines.find((line) => line.startsWith('rtoSeconds '));
    expect(row?.split(/ {2,}/)).toEqual(['rtoSeconds', 's', '8', '4.50', '-3.50', '0.56']);
    expect(lines.find((line) => line.startsWith('failedWrites'))?.split(/ {2,}/)).toEqual([
      'failedWrites',
      'writes',
      '9',
      '9',
      '0',
      '1',
    ]);
    expect(lines).toContain('Both sides were asked the same.');
    expect(lines.join('\n')).not.toContain('median');
  });

  test('have no ratio to a value of 0', () => {
    expect(measureOf([runOf('a', 0)], [runOf('b', 3)], 'rtoSeconds')).toMatchObject({ difference: 3, ratio: null });
  });

  test('are the same experiment when only the names of the nodes have changed', () => {
    const text = JSON.stringify(runOf('b', 3)).replaceAll('node-1', 'x').replaceAll('node-3', 'node-1');
    const other = runSchema.parse(JSON.parse(text.replaceAll('"x"', '"node-3"')));
    expect(other.experiment?.faults[0]?.impactedNodes).toEqual(['node-1']);
    expect(compareRuns([runOf('a', 3)], [other]).differences).toEqual([]);
  });

  test('say first in what they were not asked the same', () => {
    const base = runOf('b', 3);
    const [fault] = base.experiment?.faults ?? [];
    if (!fault) throw new Error('the fixture has no fault');
    const longer = runOf('b', 3, { experiment: { faults: [fault], durationSeconds: 60 } });
    expect(shown([runOf('a', 3)], [longer]).slice(2, 4)).toEqual([
      'They differ in one thing:',
      '  durationSeconds: A 20; B 60',
    ]);
    const milder = { ...fault, parameters: { ...fault.parameters, packetLossPct: 20 } };
    const both = shown([runOf('a', 3)], [runOf('b', 3, { experiment: { faults: [milder], durationSeconds: 60 } })]);
    expect(both[2]).toMatch(/^They differ in more than one thing/);
    expect(both).toContain('  packetLossPct: A 100; B 20');
    const replica = [{ faultId: 'b.1', impacted: [{ name: 'node-3', shard: 'shard-1', role: 'slave' }] }];
    expect(compareRuns([runOf('a', 3)], [runOf('b', 3, { targets: replica })]).differences).toContainEqual({
      what: 'targets',
      a: ['master of shard-1'],
      b: ['slave of shard-1'],
    });
    const unknown = compareRuns([runOf('a', 3)], [runOf('b', 3, { experiment: undefined })]);
    expect(unknown.differences).toContainEqual({ what: 'durationSeconds', a: ['20'], b: ['not known'] });
  });

  test('differ when the other side of a partition is another shard', () => {
    const from = (peers: string[], shardMembers: { name: string; shard: string; role: string }[]) => {
      const base = runOf('a', 3);
      const [fault] = base.experiment?.faults ?? [];
      const [target] = base.targets ?? [];
      if (!fault || !target) throw new Error('the fixture has no fault');
      const parameters = { ...fault.parameters, targetPartitionGroupA: peers };
      return {
        ...base,
        experiment: { faults: [{ ...fault, parameters }], durationSeconds: 20 },
        targets: [{ ...target, peers: peers.map((name) => ({ name })), shardMembers }],
      };
    };
    const own = ['node-1', 'node-2'].map((name) => ({ name, shard: 'shard-1', role: 'slave' }));
    const what = 'targetPartitionGroupA';
    const a = ['slave of shard-1, slave of shard-1'];
    expect(compareRuns([from(['node-1', 'node-2'], own)], [from(['node-8', 'node-9'], own)]).differences).toEqual([
      { what, a, b: ['2 nodes'] },
    ]);
    const elsewhere = ['node-8', 'node-9'].map((name) => ({ name, shard: 'shard-3', role: 'slave' }));
    expect(
      compareRuns([from(['node-1', 'node-2'], own)], [from(['node-8', 'node-9'], [...own, ...elsewhere])]).differences,
    ).toEqual([{ what, a, b: ['slave of shard-3, slave of shard-3'] }]);
  });

  describe('on brokers, each of which has several roles', () => {
    interface Chosen {
      field: string;
      selector: { role: string; of?: string };
    }
    const killed = (name: string, { controller, chosen }: { controller: number; chosen?: Chosen }) => {
      const run = runOf('a', 3);
      const [fault] = run.experiment?.faults ?? [];
      if (!fault) throw new Error('the fixture has no fault');
      const parameters = { targetNodes: [name] };
      const chosenBy = chosen && [{ ...chosen, nodes: [name] }];
      const members = brokers(controller);
      return runSchema.parse({
        ...run,
        experiment: { faults: [{ ...fault, impactedNodes: [name], parameters, chosenBy }], durationSeconds: 20 },
        targets: [
          { faultId: fault.faultId, impacted: members.filter((node) => node.name === name), shardMembers: members },
        ],
      });
    };
    const differences = (a: RunDocument, b: RunDocument) =>
      compareRuns([a], [b]).differences.find(({ what }) => what === 'targets');
    const plain = killed('kafka-node-2', { controller: 1 });

    test('are not alike when one leader was the controller too', () => {
      expect(differences(plain, killed('kafka-node-2', { controller: 2 }))).toEqual({
        what: 'targets',
        a: ['follower of 2 shards + leader of 1 shard + voter of quorum'],
        b: ['follower of 2 shards + leader of 1 shard + controller of quorum'],
      });
    });

    test('are alike when another broker had the same roles, whichever of the probed partitions it led', () => {
      expect(differences(plain, killed('kafka-node-3', { controller: 1 }))).toBeUndefined();
    });

    test('are not alike when they led other data, as asked for', () => {
      const leader = killed('kafka-node-2', { controller: 1, chosen: LEADER_OF_ORDERS });
      const follower = { ...LEADER_OF_ORDERS, selector: { role: 'follower', of: 'orders-0' } };
      expect(differences(leader, leader)).toBeUndefined();
      expect(differences(leader, killed('kafka-node-3', { controller: 1, chosen: LEADER_OF_ORDERS }))).toBeUndefined();
      expect(differences(leader, killed('kafka-node-2', { controller: 1, chosen: follower }))).toMatchObject({
        a: [expect.stringMatching(/^leader of orders-0 \+ /)],
        b: [expect.stringMatching(/^follower of orders-0 \+ /)],
      });
    });

    test('are alike when one was chosen by a role that it has, or as the rest, and the other by its name', () => {
      const named = killed('kafka-node-2', { controller: 2 });
      for (const selector of [{ role: 'controller' }, { role: 'leader', of: 'holdfast-probe-1' }, { role: 'rest' }]) {
        const chosen = { ...LEADER_OF_ORDERS, selector };
        expect(differences(named, killed('kafka-node-2', { controller: 2, chosen }))).toBeUndefined();
      }
    });
  });

  test('of which nobody knows what was asked are not called the same', () => {
    const unknown = (id: string) => runOf(id, 3, { experiment: undefined });
    const lines = shown([unknown('a')], [unknown('b')]);
    expect(lines).toContain('What was asked is not known of a, b.');
    expect(lines.join('\n')).not.toContain('asked the same');
  });

  test('that are one and the same are named: nothing is compared', () => {
    const lines = shown([runOf('a', 3), runOf('a-2', 4)], [runOf('a', 3)]);
    expect(lines).toContain('On both sides, compared with itself: a');
    expect(shown([runOf('a', 3)], [runOf('b', 3)]).join('\n')).not.toContain('On both sides');
  });

  test('list what only one of them has, and never compare two units', () => {
    const check = (unit: string) => ({ name: 'lag', cluster: 'redis', unit, result: 'HELD' as const, measured: 5 });
    const a = runOf('a', 3, { checks: [check('ms')], record: [] });
    const lines = shown([a], [runOf('b', 3, { checks: [check('s')] })]);
    expect(lines).toContain('Only A has: check lag 5 ms');
    expect(lines).toContain('Only B has: baselineLatencyMs 2.50 ms; peakLatencyMs 40 ms; check lag 5 s');
  });

  test('say when a check of the same name had another limit', () => {
    const check = (atMost: number) => ({
      ...{
        name: 'lag',
        cluster: 'redis',
        measure: 'max(lag)',
        when: 'THROUGHOUT',
        unit: 'ms',
        result: 'HELD' as const,
      },
      tolerance: { atMost },
    });
    const differences = (...checks: ReturnType<typeof check>[]) =>
      compareRuns([runOf('a', 3, { checks: [check(100)] })], [runOf('b', 3, { checks })]).differences;
    expect(differences(check(100))).toEqual([]);
    expect(differences()).toEqual([]);
    expect(differences(check(200))).toEqual([
      {
        what: 'check lag',
        a: ['max(lag) at most 100 ms, THROUGHOUT'],
        b: ['max(lag) at most 200 ms, THROUGHOUT'],
      },
    ]);
  });

  test('show the results of each check on both sides', () => {
    const check = (name: string, result: 'HELD' | 'FAILED') => ({ name, cluster: 'redis', unit: 'ms', result });
    const a = runOf('a', 3, { checks: [check('lag', 'HELD')] });
    const b = runOf('b', 3, { checks: [check('lag', 'FAILED'), check('loss', 'HELD')] });
    const rows = shown([a], [b]).map((line) => line.split(/ {2,}/));
    expect(rows).toContainEqual(['lag', 'HELD', 'FAILED']);
    expect(rows).toContainEqual(['loss', 'not asked', 'HELD']);
  });

  test('of which one says nothing about the next run are not compared, and the reason is said', () => {
    const aborted = runOf('b', 1, { status: 'ABORTED', outcome: 'INCONCLUSIVE', reason: 'errors above 0.5 %' });
    const lines = shown([runOf('a', 3)], [aborted]);
    expect(lines).toContain('  not compared: b (ABORTED, INCONCLUSIVE): errors above 0.5 %');
    expect(lines).toContain('No measure is known of both sides.');
  });

  test('say of the longest latency there is that it stands for operations that failed', () => {
    const note = '60000 ms stands for operations that failed or took longer.';
    const slow = (p99: number) =>
      runOf('b', 3, { probes: [{ cluster: 'redis', shard: 'shard-1', latency: { writeMs: { p50: 1, p99 } } }] });
    expect(shown([runOf('a', 3)], [slow(60_000)])).toContain(note);
    expect(shown([slow(60_000)], [slow(60_000)])).toContain(note);
    expect(shown([runOf('a', 3)], [slow(59_999)])).not.toContain(note);
  });

  test('keep the terminal safe from what is in a document', () => {
    const lines = shown([runOf('a\u001b[2J', 3)], [runOf('b', 3, { status: 'ABORTED', reason: 'x\u001b[2J' })]);
    expect(lines.join('')).not.toContain('\u001b');
  });

  test('name the cluster of a measure when a run has several', () => {
    const twice = (experimentId: string) => {
      const run = runOf(experimentId, 3);
      const other = { cluster: 'sessions', name: 'rtoSeconds', limit: 15, measured: 7 };
      return { ...run, budgets: [...(run.budgets ?? []), other] };
    };
    expect(measureOf([twice('a')], [twice('b')], 'rtoSeconds of sessions')?.a.p50).toBe(7);
    expect(measureOf([twice('a')], [twice('b')], 'rtoSeconds of redis')?.a.p50).toBe(3);
  });
});

describe('two sets of runs', () => {
  const set = (prefix: string, ...rtos: number[]) => rtos.map((rto, at) => runOf(`${prefix}-${at + 1}`, rto));

  test('show the median with the lowest and the highest value, of the runs that count', () => {
    const a = [...set('a', 5, 4, 9), runOf('a-4', 99, { outcome: 'INCONCLUSIVE', reason: 'not watched' })];
    const b = set('b', 2, 3, 2.5);
    expect(measureOf(a, b, 'rtoSeconds')).toMatchObject({ a: { n: 3, min: 4, p50: 5, max: 9 }, difference: -2.5 });
    const lines = shown(a, b);
    expect(lines[0]).toBe('A: 3 runs (a-1, a-2, a-3); CONFIRMED 3, INCONCLUSIVE 1');
    expect(lines[1]).toBe('  not compared: a-4 (COMPLETED, INCONCLUSIVE): not watched');
    expect(
      lines
        .find((line) => line.startsWith('rtoSeconds'))
        ?.split(/ {2,}/)
        .slice(2, 4),
    ).toEqual(['5 (4-9), n 3', '2.50 (2-3), n 3']);
    expect(lines).toContain(
      'Of several runs: median (lowest-highest), n runs; of an even number the lower one of the two in the middle.',
    );
  });

  test('count the results of each check', () => {
    const check = (result: 'HELD' | 'FAILED') => [{ name: 'lag', cluster: 'redis', unit: 'ms', result }];
    const a = [runOf('a-1', 1, { checks: check('HELD') }), runOf('a-2', 1, { checks: check('FAILED') })];
    const rows = shown([...a, runOf('a-3', 1, { checks: check('HELD') })], set('b', 1)).map((line) =>
      line.split(/ {2,}/),
    );
    expect(rows).toContainEqual(['lag', 'HELD 2, FAILED 1', 'not asked']);
  });
});

describe('a side', () => {
  const files: Record<string, unknown> = {
    'one.json': runOf('file-1', 1),
    './campaign': { campaign: 'c', runs: [runOf('c-1', 1), runOf('c-2', 2)] },
    'list.json': [runOf('l-1', 1), { runs: [runOf('l-2', 1)] }],
    'other.json': { status: 'up' },
    'empty.json': [],
    'ended.json': { campaign: 'c', runs: [] },
  };
  const ports = {
    fetchRun: async (id: string) => runOf(id, 3),
    readFile: (path: string) => {
      if (!(path in files)) throw new Error('ENOENT');
      return JSON.stringify(files[path]);
    },
  };
  const idsOf = async (text: string) => (await readSide(text, ports)).map(({ experimentId }) => experimentId);

  test('is ids, files of one run, of a campaign or of several, and any of them together', async () => {
    expect(await idsOf('exp_1')).toEqual(['exp_1']);
    expect(await idsOf('exp_1,one.json,./campaign,list.json')).toEqual(['exp_1', 'file-1', 'c-1', 'c-2', 'l-1', 'l-2']);
  });

  test('is refused with the part that cannot be read', async () => {
    await expect(idsOf('exp_1,gone.json')).rejects.toThrow(/gone\.json: neither the id .* ENOENT/);
    await expect(idsOf('other.json')).rejects.toThrow('other.json: is not what --json of run or campaign wrote');
    for (const file of ['empty.json', 'ended.json']) {
      await expect(idsOf(file)).rejects.toThrow(`${file}: holds no run`);
    }
    await expect(idsOf('a,,b')).rejects.toThrow('missing beside a comma');
  });

  test('is refused when it has a run twice: it would count double', async () => {
    await expect(idsOf('c-1,./campaign')).rejects.toThrow('has the run c-1 twice');
  });
});
