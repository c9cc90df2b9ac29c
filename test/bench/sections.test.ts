import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { runsFrom } from '../../bench/failover-runs.ts';
import { cpuSecondsOf } from '../../bench/host-usage.ts';
import { renderAlerts } from '../../bench/render-alerts.ts';
import { renderBeside } from '../../bench/render-beside.ts';
import { renderCassandra } from '../../bench/render-cassandra.ts';
import { renderDelayWorker } from '../../bench/render-delay-worker.ts';
import { renderEngines } from '../../bench/render-engines.ts';
import { renderFailovers } from '../../bench/render-failovers.ts';
import { renderKafka } from '../../bench/render-kafka.ts';
import { renderKillSwitch } from '../../bench/render-kill-switch.ts';
import { renderNightly } from '../../bench/render-nightly.ts';
import {
  ALERTS,
  ALL_STARTS,
  BESIDE,
  CASSANDRA,
  CASSANDRA_STARTS,
  DELAY_WORKER,
  ENGINES,
  FAILOVERS,
  KAFKA,
  KILL_SWITCH,
  NIGHTLY,
  sectionOf,
  sectionsOf,
  withSection,
  withSections,
} from '../../bench/sections.ts';
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

describe('the section of alerts', () => {
  test('keeps apart what was before the alert and what came after it, on each way in', () => {
    const run = { causeToAlert: 4, alertToLifted: 2.5 };
    const section = renderAlerts({
      ...provenance,
      runs: { cloudWatch: [{ causeToAlert: 0, alertToLifted: 0.75 }], amp: [run, run], alertmanager: [] },
    });
    expect(section).toContain('| CloudWatch alarm in ALARM → lifted | s | 1 | 0.75 | 0.75 | 0.75 | 0.75 |  |');
    expect(section).toContain('rule fires | s | 2 | 4.00 |');
    expect(section).toContain('rule fires → lifted | s | 2 | 2.50 |');
    expect(section).toContain('rule fires → lifted | s | 0 |');
  });
});

describe('the section of the engines', () => {
  test('keeps cold starts apart from warm ones, and counts each host of each run', () => {
    const run = { startSeconds: 10, loadBefore: 0.25, megabytes: [200, 220, 240], cpuPct: [3, 4, 5] };
    const runs = [
      { ...run, isCold: true, startSeconds: 60 },
      { ...run, isCold: false },
      { ...run, isCold: false },
    ];
    const section = renderEngines({ ...provenance, engines: ['kafka'], runs });
    expect(section).toContain('for kafka:');
    expect(section).toContain('before each start: 0.3, 0.3, 0.3. Machine: 2 cores.');
    expect(section).toContain('| cold start until all is ready | s | 1 | 60.00 | 60.00 | 60.00 | 60.00 | ≤ 120 |');
    expect(section).toContain('| warm start until all is ready | s | 2 | 10.00 | 10.00 | 10.00 | 10.00 | ≤ 15 |');
    expect(section).toContain('| memory of a host’s stores, idle | MB | 9 | 200.00 | 220.00 | 240.00 | 240.00 |  |');
  });

  test('counts what threads of a store took that have ended, whatever its name is', () => {
    const stat = '7 (a) b) S 1 7 7 0 -1 4194560 1 0 0 0 250 150 9 9 20 0 30 0 12345';
    expect(cpuSecondsOf(stat)).toBe(4);
  });

  test('of Cassandra is a section of its own, held to what is promised for it', () => {
    const runs = [{ isCold: false, startSeconds: 20, loadBefore: 0, megabytes: [400], cpuPct: [2] }];
    const section = renderEngines({ ...provenance, engines: ['cassandra'], runs });
    expect(section.startsWith(`${CASSANDRA_STARTS.heading}\n`)).toBe(true);
    expect(section).toContain('`npm run bench:engines -- --engines cassandra`, for cassandra:');
    expect(section).toContain('| warm start until all is ready | s | 1 | 20.00 | 20.00 | 20.00 | 20.00 | ≤ 25 |');
  });
});

describe('the sections of all engines in one lab', () => {
  test('hold their start to what is promised for all, and give no figure of a host that is none of any engine', () => {
    const run = { isCold: false, startSeconds: 30, loadBefore: 0, megabytes: [7, 400], cpuPct: [1, 4] };
    const section = renderEngines({ ...provenance, engines: ['redis', 'kafka', 'cassandra'], runs: [run] });
    expect(section.startsWith(`${ALL_STARTS.heading}\n`)).toBe(true);
    expect(section).toContain('| warm start until all is ready | s | 1 | 30.00 | 30.00 | 30.00 | 30.00 | ≤ 45 |');
    expect(section).not.toMatch(/cold start|of a host/);
  });

  test('say by how much a failover beside others is slower than alone', () => {
    const campaign = (seconds: number) => {
      const runs = [runOf('failover-1', seconds), runOf('failover-2', seconds)];
      const document = { campaign: 'failover', runsAsked: 2, runs, endedEarly: null, assumption: ASSUMPTION };
      return { ...document, ...evaluate(runs, new Map(), runs.length) };
    };
    const alone = { engines: ['redis'], startSeconds: 40, document: campaign(4) };
    const beside = { engines: ['redis', 'kafka'], startSeconds: 61.6, document: campaign(5) };
    const section = renderBeside({ ...provenance, alone, beside });
    expect(section).toContain('redis, kafka: up after 62 s; CONFIRMED 2.');
    expect(section).toContain('| rtoSeconds | s | redis, kafka | 2 | 5 | 5 | 5 | 5 |');
    expect(section).toContain('the median RTO is 1.25 of what it is alone');
  });

  test('are of as many failovers as somebody asks for, of ten otherwise, and of no number that is none', () => {
    expect(runsFrom(undefined, 10)).toBe(10);
    expect(runsFrom('6', 10)).toBe(6);
    for (const text of ['0', '-1', '1000', 'six', '1.5'])
      expect(() => runsFrom(text, 10)).toThrow(`FAILOVERS: ${text} is not a whole number from 1 to 999`);
  });
});

describe('the section of Kafka', () => {
  const role = (...roles: string[]) => [
    {
      faultId: 'f',
      impacted: [{ name: 'kafka-node-1', roles: roles.map((each) => ({ shard: 'orders-0', role: each })) }],
    },
  ];
  const runs = [
    { ...runOf('kafka-1', 9.5), targets: role('leader', 'follower') },
    { ...runOf('kafka-2', 10.5), targets: role('leader') },
    { ...runOf('kafka-3', 12), targets: role('leader', 'controller') },
    { ...runOf('kafka-4', 99), targets: role('leader'), status: 'ABORTED' },
  ];
  const document = { campaign: 'kafka', runsAsked: 4, runs, endedEarly: null, assumption: ASSUMPTION };
  const campaign = { example: 'a.json', sessionMs: 9000, document: { ...document, ...evaluate(runs, new Map(), 4) } };
  const section = renderKafka({ ...provenance, campaigns: [campaign], probeCpuPct: [4, 6] });

  test('keeps a broker that was controller too apart, and takes no number of a run that was aborted', () => {
    expect(section).toContain('| a.json | 9 | leader | 2 | 9.5 | 9.5 | 10.5 | 0 | CONFIRMED 2, ABORTED 1 |');
    expect(section).toContain('| a.json | 9 | leader and controller | 1 | 12.0 | 12.0 | 12.0 | 0 | CONFIRMED 1 |');
    expect(section).toContain('| CPU of the probe, each second | % of a core | 2 | 4.00 | 4.00 | 6.00 | 6.00 |  |');
  });
});

describe('the section of Cassandra', () => {
  const probes = [{ cluster: 'c', shard: 's', acknowledgedWrites: 97, failedWrites: 3, staleReads: 0 }];
  const runs = [
    { ...runOf('cassandra-1', 0), probes },
    { ...runOf('cassandra-2', 0.2), probes: [{ ...probes[0], cluster: 'c', shard: 's', failedWrites: 0 }] },
    { ...runOf('cassandra-3', 99), probes, status: 'ABORTED' },
  ];

  test('says of each run how many writes failed, and takes no number of a run that was aborted', () => {
    const section = renderCassandra({ ...provenance, campaigns: [{ example: 'a.json', runs }] });
    expect(section).toContain('| a.json | 2 | 0.0 | 0.0 | 0.2 | 3, 0 | 197 | 0 | CONFIRMED 2, ABORTED 1 |');
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

describe('the section of the worker that delays packets', () => {
  const good = { jitterMs: 0, lost: 0, overtaken: 0, p50Ms: 100, p99BeyondMs: 1, maxBeyondMs: 7, corePct: 30 };

  test('calls a rate carried only where nothing was lost, overtaken or late, with and without jitter', () => {
    const rates = [
      { ...good, packetsPerSecond: 1000 },
      { ...good, packetsPerSecond: 2000 },
      { ...good, packetsPerSecond: 3000, lost: 1 },
      { ...good, packetsPerSecond: 4000 },
      { ...good, packetsPerSecond: 4000, jitterMs: 10, p99BeyondMs: 5.1 },
      { ...good, packetsPerSecond: 5000, overtaken: 1 },
    ];
    const section = renderDelayWorker({ ...provenance, rates });
    expect(section).toContain('up to 2000 packets a second');
    expect(section).toContain('| 3000 | 0 | 1 | 0 | 100.0 | 1.0 | 7.0 | 30.0 |');
    expect(section).toContain('Machine: 2 cores. Date: 2026-01-01. Commit: abc1234.');
  });
});

describe('the section of the kill switch', () => {
  test('counts a fleet as lifted when its last host is, and shows its P99', () => {
    const measured = Array.from({ length: 100 }, (_, run) => [0.1, (run + 1) / 100]);
    const section = renderKillSwitch({ ...provenance, hosts: 2, measured });
    expect(section).toContain('| the last of 2 hosts, s | 100 | 0.10 | 0.50 | 0.90 | 0.99 | 1.00 | p99 ≤ 1 |');
    expect(section).toContain('| each host, s | 200 |');
  });
});

describe('sections that are written apart', () => {
  const one = `${FAILOVERS.heading}\n\n59 runs\n`;
  const middle = `${ENGINES.heading}\n\n3 starts\n\n${CASSANDRA_STARTS.heading}\n\n2 starts\n\n${ALL_STARTS.heading}\n\n1 start\n\n${BESIDE.heading}\n\n4 runs\n\n${KAFKA.heading}\n\n5 runs\n\n${CASSANDRA.heading}\n\n6 runs\n\n${KILL_SWITCH.heading}\n\n100 runs\n\n${DELAY_WORKER.heading}\n\n10000 a second\n`;
  const alerted = `${ALERTS.heading}\n\n3 lifted\n`;
  const other = `${NIGHTLY.heading}\n\n$& all passed\n`;
  const both = new Map([
    [FAILOVERS.heading, one],
    [ALERTS.heading, alerted],
    [ENGINES.heading, sectionOf(middle, ENGINES)],
    [CASSANDRA_STARTS.heading, sectionOf(middle, CASSANDRA_STARTS)],
    [ALL_STARTS.heading, sectionOf(middle, ALL_STARTS)],
    [BESIDE.heading, sectionOf(middle, BESIDE)],
    [KAFKA.heading, sectionOf(middle, KAFKA)],
    [CASSANDRA.heading, sectionOf(middle, CASSANDRA)],
    [KILL_SWITCH.heading, sectionOf(middle, KILL_SWITCH)],
    [DELAY_WORKER.heading, sectionOf(middle, DELAY_WORKER)],
    [NIGHTLY.heading, other],
  ]);
  const before = withSections('# Benchmarks\n\nold\n', both);

  test('outlive a new report', () => {
    expect(before).toBe(`# Benchmarks\n\nold\n\n${one}\n${alerted}\n${middle}\n${other}`);
    expect(withSections('# Benchmarks\n\nnew\n', sectionsOf(before))).toBe(
      `# Benchmarks\n\nnew\n\n${one}\n${alerted}\n${middle}\n${other}`,
    );
  });

  test('are written anew each by itself, and the rest of the document stays', () => {
    const anew = `${FAILOVERS.heading}\n\n3 runs\n`;
    expect(withSection(before, FAILOVERS, anew)).toBe(
      `# Benchmarks\n\nold\n\n${anew}\n${alerted}\n${middle}\n${other}`,
    );
    expect(withSection(before, NIGHTLY, anew)).toBe(`# Benchmarks\n\nold\n\n${one}\n${alerted}\n${middle}\n${anew}`);
    expect(withSection(before, FAILOVERS, one)).toBe(before);
  });

  test('say which command writes them while there are none', () => {
    const document = withSections('# Benchmarks\n', sectionsOf('# Benchmarks\n'));
    expect(sectionOf(document, FAILOVERS)).toContain('Not run yet. `npm run bench:failovers` writes its result here.');
    expect(sectionOf(document, NIGHTLY)).toContain('Not run yet. `npm run test:nightly` writes its result here.');
    expect(withSection(document, NIGHTLY, other)).toContain(other);
  });
});
