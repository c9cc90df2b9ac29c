import { describe, expect, test } from 'vitest';
import {
  dryRunSchema,
  type ExperimentDocument,
  experimentSchema,
  type ShownCheckResult,
  type ShownReading,
  type StatusDocument,
} from '../../cli/api-documents.ts';
import { plainPaint, printable, renderTimelineEntry } from '../../cli/render.ts';
import { renderDryRun, renderProblem, renderVerdict } from '../../cli/render-result.ts';
import { renderFrame, renderPlainStatus, renderReadings } from '../../cli/render-status.ts';
import { createScreen } from '../../cli/render-terminal.ts';
import { brokerNode, brokers, CLUSTER_FACTS, LEADER_OF_ORDERS, TARGETS } from './dry-run-fixture.ts';

const ESCAPE = '\u001b';

const reading: ShownReading = {
  guardrail: 'errorRatePct',
  value: 0.29,
  limit: 0.5,
  breachWhen: 'above',
  unit: '%',
  ageSeconds: 0.4,
  maxAgeSeconds: 3,
  breached: false,
};
const status: StatusDocument = {
  experimentId: 'exp_1',
  status: 'RUNNING',
  elapsedSeconds: 24,
  remainingSeconds: 36,
  guardrails: [reading],
  impactedNodes: [{ podName: 'redis-node-3', faultState: 'ISOLATED' }],
};
const ended: ExperimentDocument = {
  experimentId: 'exp_1',
  status: 'COMPLETED',
  outcome: 'CONFIRMED',
  budgets: [
    { cluster: 'c', name: 'rtoSeconds', limit: 15, measured: 4.1, met: true },
    { cluster: 'c', name: 'lostAcknowledgedWrites', limit: 0, met: false },
  ],
  nodes: [
    {
      node: 'redis-node-3',
      outcome: 'REVERTED',
      revertReason: 'TTL',
      liftedAt: '2026-05-29T13:13:00.000Z',
      fence: { outcome: 'SETTLED' },
      leftovers: [],
    },
  ],
  record: [{ experiment_id: 'exp_1', was_auto_rolled_back: false }],
  timeline: [],
};

describe('a running experiment', () => {
  test('shows time left, every guardrail with its limit and age, and the impacted nodes', () => {
    const lines = renderFrame(status, plainPaint);
    expect(lines[0]).toContain('RUNNING');
    expect(lines[0]).toContain(`${'█'.repeat(12)}${'░'.repeat(18)}`);
    expect(lines[0]).toContain('24 s, TTL ends in 36 s');
    expect(lines[2]).toMatch(/errorRatePct +0\.29 % +at most 0\.50 % +0\.4 s old +ok/);
    expect(lines[4]).toBe('  redis-node-3  ISOLATED');
  });

  test('a guardrail that could not be read is never shown as ok', () => {
    const { value: _value, ageSeconds: _age, ...unread } = reading;
    const [line] = renderReadings([{ ...unread, breached: true, reason: 'no sample' }], plainPaint);
    expect(line).toMatch(/unreadable .*age unknown +BREACH: no sample/);
    expect(line).not.toContain('ok');
    const plain = renderPlainStatus({ ...status, guardrails: [{ ...unread, breached: true }] });
    expect(plain.join('\n')).toMatch(/unreadable \(.*, age unknown\) BREACH/);
  });

  test('shows what each host saw of its fault, and beside a rollback no TTL that goes on', () => {
    const effect = { measure: 'packets lost', value: 12, unit: 'packets' };
    const lines = renderFrame(status, plainPaint, { answers: [{ node: 'redis-node-3', effect }, { node: 'other' }] });
    expect(lines.at(-1)).toBe('  redis-node-3  ISOLATED  at its start: packets lost: 12 packets');
    const [rollingBack] = renderFrame({ ...status, status: 'ROLLING_BACK', remainingSeconds: 0 }, plainPaint);
    expect(rollingBack).toContain('the fault began 24 s ago');
    expect(rollingBack).not.toContain('TTL');
  });

  test('a guardrail that nobody reads any more is not shown as ok', () => {
    const old = { ...reading, ageSeconds: 11.6 };
    expect(renderReadings([old], plainPaint)[0]).toMatch(/11\.6 s old +not read any more$/);
    expect(renderPlainStatus({ ...status, guardrails: [old] })[1]).toContain('11.6 s old) not read any more');
  });

  test('an experiment that has not begun divides nothing by zero', () => {
    const lines = renderFrame({ experimentId: 'exp_1', status: 'ACCEPTED' }, plainPaint);
    expect(lines.join('\n')).not.toContain('NaN');
    expect(lines).toContain('  no guardrail has been read yet');
  });

  test('a line of the timeline shows when, what and why', () => {
    const entry = { sequence: 1, type: 'ROLLED_BACK', at: '2026-05-29T13:13:00.123Z', summary: 'lifted after 60 s' };
    expect(renderTimelineEntry(entry, plainPaint)).toBe('13:13:00.123  ROLLED_BACK            lifted after 60 s');
  });
});

describe('checks', () => {
  const check = { name: 'writeP99', cluster: 'c', when: 'THROUGHOUT', tolerance: { atMost: 50 }, unit: 'ms' };

  test('are shown as they hold or fail, each with its tolerance', () => {
    const checks = [
      { ...check, state: 'FAILS' as const, value: 81.25, since: '2026-05-29T13:12:40.000Z' },
      { ...check, name: 'reads', state: 'PENDING' as const, when: 'AFTER_FAULT', withinSeconds: 15 },
    ];
    const lines = renderFrame({ ...status, checks }, plainPaint).join('\n');
    expect(lines).toMatch(/writeP99 +81\.3 ms +at most 50 ms, throughout +FAILS since 13:12:40\.000$/m);
    expect(lines).toMatch(/reads +- +at most 50 ms, within 15 s after the fault and on +pending/);
    expect(renderPlainStatus({ ...status, checks })).toContain('  writeP99 FAILS (81.3 ms); reads pending');
  });

  test('at the end say what was measured, for how long it failed, and why nothing is known', () => {
    const failed = { failedSeconds: 4, firstFailedAt: 'A', lastFailedAt: 'B' };
    const checks: ShownCheckResult[] = [
      { ...check, measure: 'writeLatencyMs P99', result: 'FAILED' as const, measured: 81.25, ...failed },
      { ...check, name: 'lag', tolerance: { atLeast: 1, atMost: 9 }, result: 'UNKNOWN' as const, reason: 'no series' },
    ];
    const alert = { name: 'orders-5xx', tolerance: { atLeast: 1 }, unit: 'alarms', when: 'HAPPENS', withinSeconds: 30 };
    checks.push({ ...check, ...alert, measured: 1, result: 'HELD', arrivedAt: '2026-05-29T13:12:20.000Z' });
    const lines = renderVerdict({ ...ended, checks }, plainPaint);
    expect(lines.find((line) => line.includes('orders-5xx'))).toMatch(/: held, arrived 2026-05-29T13:12:20\.000Z$/);
    expect(lines).toContain(
      '  check writeP99 (writeLatencyMs P99): measured 81.3 ms, at most 50 ms, throughout: FAILED, for 4 s, from A to B',
    );
    expect(lines).toContain('  check lag: not measured, at least 1 and at most 9 ms, throughout: UNKNOWN, no series');
  });
});

describe('the end', () => {
  test('shows verdict, budgets, clean-up and audit record; what was not measured is not met', () => {
    const text = renderVerdict(ended, plainPaint).join('\n');
    expect(text).toContain('COMPLETED, outcome CONFIRMED');
    expect(text).toContain('budget rtoSeconds: measured 4.10, limit 15: met');
    expect(text).toContain('budget lostAcknowledgedWrites: not measured, limit 0: NOT met');
    expect(text).toContain(
      'redis-node-3: REVERTED (TTL), lifted 2026-05-29T13:13:00.000Z, fence SETTLED, verified clean',
    );
    expect(text).toMatch(/was_auto_rolled_back +false/);
  });

  test('names a failure mode that the run shows, with its number and what to set', () => {
    const finding = { cluster: 'orders', failureMode: 'split brain', measure: 'lostAcknowledgedWrites', value: 7 };
    const document = { ...ended, findings: [{ ...finding, unit: 'writes', setting: 'min-replicas-to-write 1' }] };
    expect(renderVerdict(experimentSchema.parse(document), plainPaint)).toContain(
      '  finding: split brain in orders, shown by lostAcknowledgedWrites 7 writes; set: min-replicas-to-write 1',
    );
  });

  test('says of each node which roles it had and what it was chosen by, whoever is asked to lift the fault', () => {
    const target = { faultId: 'exp_1.1', impacted: [brokerNode(2)], peers: [], shardMembers: brokers() };
    const lines = (changes: object) => {
      const experiment = { faults: [{ faultId: 'exp_1.1', chosenBy: [LEADER_OF_ORDERS] }] };
      return renderVerdict(experimentSchema.parse({ ...ended, experiment, targets: [target], ...changes }), plainPaint);
    };
    const roles =
      '  kafka-node-2 (leader of orders-0, as asked for; leader of holdfast-probe-1; controller of quorum; ' +
      'follower of holdfast-probe-0; and 1 more)';
    const node = { node: 'kafka-node-2', outcome: 'REVERTED', leftovers: [] };
    expect(lines({ nodes: [node] })).toContain(`${roles}: REVERTED, verified clean`);
    expect(lines({ nodes: [{ podName: 'kafka-node-2', faultState: 'ARMED' }] })).toContain(`${roles}: ARMED`);
    const service = { faultId: 'exp_1.1', state: 'completed', outcome: 'REVERTED' };
    expect(lines({ nodes: [], services: [service] })).toContain(`${roles}: REVERTED by AWS FIS (completed)`);
    const running = { faultId: 'exp_1.1', kind: 'INSTANCE_STOP', fisExperimentId: null, boundSeconds: 60 };
    expect(lines({ nodes: [], services: [running] }).join('\n')).not.toContain('FIS');
  });

  test('says of a node with one role that role alone', () => {
    const lines = renderVerdict({ ...ended, targets: TARGETS }, plainPaint);
    expect(lines.join('\n')).toContain('  redis-node-3 (master of shard-1): REVERTED (TTL)');
  });

  test('shows in one line what the host saw of the fault, and in words that no fence was needed', () => {
    const effect = { measure: 'processor time', value: 12.54, unit: 's', observedAt: '2026-05-29T13:12:59.000Z' };
    const node = { node: 'n', outcome: 'REVERTED' as const, leftovers: [], effect, fence: { outcome: 'NOT_NEEDED' } };
    const lines = (changes: object) => renderVerdict({ ...ended, nodes: [{ ...node, ...changes }] }, plainPaint);
    expect(lines({})).toContain(
      '  n: REVERTED, processor time: 12.5 s, clients not kept away: its role was never in doubt, verified clean',
    );
    const lost = { revertReason: 'EFFECT_LOST', effectLostAt: '2026-05-29T13:12:40.000Z', fence: null };
    expect(lines(lost)).toContain(
      '  n: REVERTED (EFFECT_LOST), processor time: 12.5 s, effect gone at 2026-05-29T13:12:40.000Z, verified clean',
    );
    expect(lines({ effect: { ...effect, measure: `a${ESCAPE}[2Jb` } }).join('\n')).not.toContain(ESCAPE);
  });

  test('what a person should know of a host is said once, also when only its answer to the injection is there', () => {
    const notes = ['no IP sets', `no${ESCAPE}systemd`];
    const node = { node: 'n', outcome: 'REVERTED' as const, leftovers: [], notes };
    const answers = [{ node: 'n', notes }, { node: 'm', notes: ['no IP sets'] }, { node: 'o' }];
    const unanswered = { podName: 'm', faultState: 'UNKNOWN' };
    const lines = renderVerdict({ ...ended, nodes: [node, unanswered], answers }, plainPaint);
    expect(lines.filter((line) => line.includes('note of'))).toEqual([
      '  note of n: no IP sets',
      '  note of n: no systemd',
      '  note of m: no IP sets',
    ]);
    expect(renderVerdict({ ...ended, nodes: [node] }, plainPaint)).toContain('  note of n: no IP sets');
  });

  test('shows for each shard what a client saw, and from when to when somebody looked', () => {
    const seen = {
      ...{
        cluster: 'c',
        shard: 's1',
        stillFailing: false,
        rtoSeconds: 4.1,
        unavailableSeconds: 9.2,
        largestGapSeconds: 0.06,
      },
      ...{ acknowledgedWrites: 1000, lostAcknowledgedWrites: 2, observedFrom: 'F', observedUntil: 'U' },
    };
    const unseen = { ...seen, shard: 's2', stillFailing: true, lostAcknowledgedWrites: null, observedUntil: null };
    const lines = renderVerdict({ ...ended, probes: [seen, unseen] }, plainPaint);
    expect(lines).toContain(
      '  s1 of c: RTO 4.10 s, unavailable for 9.20 s in all, 2 of 1000 acknowledged writes lost; observed from F to U, largest gap 0.06 s',
    );
    expect(lines).toContain(
      '  s2 of c: still failing at the end, unknown how many of 1000 acknowledged writes lost; never observed',
    );
    const spanned = renderVerdict({ ...ended, probes: [{ ...seen, lossSpanSeconds: 10.5 }] }, plainPaint);
    expect(spanned.join('\n')).toContain('2 of 1000 acknowledged writes lost, acknowledged within 10.5 s; observed');
  });

  test('shows of a log over how long lost records were acknowledged, what else became of acknowledged ones, and examples', () => {
    const seen = {
      ...{ cluster: 'c', shard: 's', stillFailing: false, rtoSeconds: 4, unavailableSeconds: 4, largestGapSeconds: 0 },
      ...{ acknowledgedWrites: 1100, lostAcknowledgedWrites: 597, observedFrom: 'F', observedUntil: 'U' },
    };
    const example = { key: `k7${ESCAPE}`, offset: 7, acknowledgedAt: 'T' };
    const records = { lossSpanSeconds: 11.9, duplicated: 1, reordered: 0, examples: { lost: [example] } };
    expect(renderVerdict({ ...ended, probes: [{ ...seen, records }] }, plainPaint)).toEqual(
      expect.arrayContaining([
        '  s of c: RTO 4 s, unavailable for 4 s in all, 597 of 1100 acknowledged writes lost, acknowledged within 11.9 s, 1 duplicated, 0 reordered; observed from F to U, largest gap 0 s',
        expect.stringMatching(/^ {4}lost: k7.? at offset 7, acknowledged T$/),
      ]),
    );
    const repeated = { ...records, repeatedOffsets: 3 };
    expect(renderVerdict({ ...ended, probes: [{ ...seen, records: repeated }] }, plainPaint).join('\n')).toContain(
      '0 reordered, 3 with a repeated offset (the fault of the client library); observed',
    );
  });

  test('shows how a store lost acknowledged values, with both timestamps of what overwrote them', () => {
    const seen = {
      ...{ cluster: 'c', shard: 's', stillFailing: false, rtoSeconds: 0, unavailableSeconds: 0, largestGapSeconds: 0 },
      ...{ acknowledgedWrites: 1100, lostAcknowledgedWrites: 2, observedFrom: 'F', observedUntil: 'U' },
    };
    const alice = { value: 'alice', through: 'n1', acknowledgedAt: 'T1', timestampUs: 1_000_200 };
    const bob = { key: `k7${ESCAPE}`, through: 'n2', acknowledgedAt: 'T2', timestampUs: 900_000 };
    const lost = { key: 'k8', value: 'v', acknowledgedAt: 'T3' };
    const examples = { overwritten: [{ ...bob, instead: alice }], resurrected: [], lost: [lost] };
    const counts = { overwritten: 1, resurrected: 0, stale: 3, unacknowledgedThrough: { n: 4 } };
    const values = { ...counts, lossSpanSeconds: 1, examples };
    const lines = renderVerdict({ ...ended, probes: [{ ...seen, values }] }, plainPaint);
    expect(lines).toEqual(
      expect.arrayContaining([
        '  s of c: RTO 0 s, unavailable for 0 s in all, 2 of 1100 acknowledged writes lost, acknowledged within 1 s, 1 of them overwritten by an earlier write, 0 resurrected; 3 hidden for a while; 4 through n alone not acknowledged; observed from F to U, largest gap 0 s',
        expect.stringMatching(
          /^ {4}overwritten: k7.?: removal through n2, acknowledged T2, timestamp 900000; there is the earlier alice through n1, acknowledged T1, timestamp 1000200, 100.2 ms ahead of the other$/,
        ),
        '    lost: k8: v, acknowledged T3; nothing of ours is there',
      ]),
    );
  });

  test('shows the phases of an outage, each with the event that dates it and its uncertainty', () => {
    const phase = { phase: 'detected', at: 'T', secondsAfterFault: 2.31, event: '+odown', uncertaintyMs: 100 };
    const seen = { cluster: 'c', shard: 's', stillFailing: false, largestGapSeconds: 0, acknowledgedWrites: 1 };
    const lines = renderVerdict({ ...ended, probes: [{ ...seen, phases: [phase] }] }, plainPaint);
    expect(lines).toContain('    detected 2.31 s after the fault, or up to 100 ms earlier (+odown)');
  });

  test('tells the budgets of two clusters apart', () => {
    const budget = { name: 'rtoSeconds', limit: 15, measured: 4.1, met: true };
    const budgets = [
      { ...budget, cluster: 'a' },
      { ...budget, cluster: 'b' },
    ];
    const text = renderVerdict({ ...ended, budgets }, plainPaint).join('\n');
    expect(text).toMatch(/budget rtoSeconds of a: .*\n.*budget rtoSeconds of b: /);
  });

  test('what a fault left behind is named and not called clean', () => {
    const node = { node: 'n', outcome: 'FAILED' as const, leftovers: ['-A INPUT -j DROP'] };
    const text = renderVerdict({ ...ended, nodes: [node] }, plainPaint).join('\n');
    expect(text).toContain('LEFT BEHIND: -A INPUT -j DROP');
    expect(text).not.toContain('verified clean');
    const unproven = renderVerdict({ ...ended, nodes: [{ ...node, leftovers: [] }] }, plainPaint).join('\n');
    expect(unproven).not.toContain('verified clean');
    const unknown = { ...node, outcome: 'NOTHING_TO_REVERT' as const, leftovers: [] };
    const vanished = renderVerdict({ ...ended, nodes: [unknown] }, plainPaint).join('\n');
    expect(vanished).toContain('n: NOTHING_TO_REVERT, the host knew of no fault');
    expect(vanished).not.toContain('verified clean');
  });
});

test('a check that holds shows no value, which would be the one with which that began; one that fails does', () => {
  const check = {
    cluster: 'redis-master',
    measure: 'failovers',
    when: 'THROUGHOUT',
    tolerance: { atMost: 1 },
    unit: 'failovers',
  };
  const status = {
    ...{ experimentId: 'exp_1', status: 'RUNNING' as const },
    checks: [
      { ...check, name: 'one failover', state: 'HOLDS' as const, value: 0 },
      { ...check, name: 'no second one', state: 'FAILS' as const, value: 2 },
    ],
  };
  const plain = renderPlainStatus(status).join('\n');
  expect(plain).toContain('one failover holds; no second one FAILS (2 failovers)');
  expect(renderFrame(status, plainPaint).join('\n')).not.toContain('0 failovers');
});

describe('before the start', () => {
  test('a dry run shows blast radius with its limits, the undo, and the worst case', () => {
    const text = renderDryRun(
      {
        admitted: true,
        experiment: { faults: [{ faultId: 'exp_1.1', kind: 'NETWORK_PARTITION' }] },
        facts: {
          clusters: [
            {
              ...CLUSTER_FACTS,
              worstCase: { ...CLUSTER_FACTS.worstCase, service: { withoutGuardSeconds: 40 }, rules: { seconds: 34 } },
            },
          ],
          targets: TARGETS,
          irreversible: [{ kind: 'INSTANCE_REBOOT', text: 'a reboot has no undo' }],
          leadSeconds: 300,
          closing: { at: '2026-06-05T14:00:00.000Z', what: 'the window of redis-master' },
        },
        wouldRun: [
          {
            node: 'redis-node-3',
            document: 'Holdfast-Holdfast-network-partition',
            undo: ['delete the rules', 'lower the fence'],
          },
          {
            nodes: [{ node: 'redis-node-3' }],
            startSeconds: 20,
            action: { actionId: 'aws:ec2:reboot-instances', undo: ['none'] },
          },
        ],
      },
      plainPaint,
    ).join('\n');
    expect(text).toContain('NETWORK_PARTITION on redis-node-3 (i-03, master of shard-1)');
    expect(text).toContain('no fault may live beyond 2026-06-05T14:00:00.000Z: the window of redis-master ends');
    expect(text).toContain('1 of 12 nodes (8.33 %, limit 10 %), 0.30 % of the traffic (limit 40 %)');
    expect(text).toContain('undo: delete the rules; lower the fence');
    expect(text).toContain('on redis-node-3: FIS aws:ec2:reboot-instances, 20 s after the first; undo: none');
    expect(text).toContain('is announced 300 s before anything is done');
    expect(text).toContain('cannot be undone: INSTANCE_REBOOT: a reboot has no undo');
    expect(text).toContain('will not survive it, as its configuration allows: shard-1 would keep 1 of 3 nodes');
    expect(text).toContain('warning: no replication throttle on redis-node-1');
    expect(text).toContain('in FIS, which reads no lease: stopped 40 s after the guard is lost');
    expect(text).toContain('alerting rules of AMP, beside the guard: see a breach up to 34 s later');
    expect(text).toContain(
      'lifted 5.60 s after a breach, 3.50 s after the control plane is lost; its host begins to lift it 60 s',
    );
  });

  test('a dry run says of each group whether it replaces a target: only where the fault is a termination of that cluster', () => {
    const group = (name: string) => ({ scalingGroups: [{ name, suspendedProcesses: [] }] });
    const document = {
      admitted: true,
      experiment: {
        faults: [
          { faultId: 'exp_1.1', kind: 'INSTANCE_TERMINATE', cluster: 'ring' },
          { faultId: 'exp_1.2', kind: 'PROCESS_KILL', cluster: 'redis-master' },
        ],
      },
      facts: {
        clusters: [
          { ...CLUSTER_FACTS, cluster: 'ring', ...group('a') },
          { ...CLUSTER_FACTS, ...group('b') },
        ],
        targets: TARGETS,
      },
    };
    const text = renderDryRun(dryRunSchema.parse(document), plainPaint).join('\n');
    expect(text).toContain('the Auto Scaling group a replaces what is terminated; suspended: nothing');
    expect(text).toContain('the Auto Scaling group b does not replace a target; suspended: nothing');
  });

  test('a dry run shows the roles of a node that has several, and what it was chosen by', () => {
    const document = dryRunSchema.parse({
      admitted: true,
      experiment: { faults: [{ faultId: 'e.1', kind: 'PROCESS_KILL', chosenBy: [LEADER_OF_ORDERS] }] },
      facts: {
        clusters: [CLUSTER_FACTS],
        targets: [{ faultId: 'e.1', impacted: [brokerNode(2)], peers: [], shardMembers: brokers() }],
      },
    });
    expect(renderDryRun(document, plainPaint)).toContain(
      '  PROCESS_KILL on kafka-node-2 (i-02, leader of orders-0, as asked for; leader of holdfast-probe-1; ' +
        'controller of quorum; follower of holdfast-probe-0; and 1 more)',
    );
  });

  test('a refusal shows its type, the field, what is allowed, and the numbers', () => {
    const text = renderProblem(
      {
        type: 'urn:holdfast:problem:invalid-request',
        title: 'The request is not valid',
        status: 400,
        detail: 'One field is wrong.',
        errors: [{ field: 'durationSeconds', message: 'is too large', allowed: '1-600' }],
        impactedNodes: 3,
      },
      'Refused',
      plainPaint,
    ).join('\n');
    expect(text).toContain('Refused (400): The request is not valid');
    expect(text).toContain('urn:holdfast:problem:invalid-request');
    expect(text).toContain('durationSeconds: is too large (allowed: 1-600)');
    expect(text).toContain('impactedNodes: 3');
  });
});

describe('the screen', () => {
  function record(isTTY: boolean, environment: Record<string, string> = {}): string {
    let written = '';
    const screen = createScreen({ isTTY, write: (text) => (written += text) }, environment);
    screen.print([screen.paint('bad', 'before')]);
    screen.frame(['one', 'two']);
    screen.print(['between']);
    screen.frame(['three']);
    screen.frame([]);
    return written;
  }

  test('a log never gets an escape sequence', () => {
    for (const written of [record(false), record(true, { TERM: 'dumb' }), record(true, { CI: 'true' })]) {
      expect(written).toBe('before\nbetween\n');
    }
  });

  test('a terminal keeps printed lines and redraws the frame below them', () => {
    const written = record(true);
    expect(written).toContain(`${ESCAPE}[2A${ESCAPE}[Jbetween\n`);
    expect(written.endsWith(`${ESCAPE}[1A${ESCAPE}[J`)).toBe(true);
  });

  test('NO_COLOR takes the colours away and nothing else', () => {
    const written = record(true, { NO_COLOR: '1' });
    expect(written).toContain(`${ESCAPE}[2A${ESCAPE}[Jbetween\n`);
    expect(written).not.toMatch(/\[\d+m/);
    expect(record(true)).toContain(`${ESCAPE}[31m`);
  });

  test('a frame that is higher than the terminal is cut, so that all of it can be erased; a question stays', () => {
    let written = '';
    const screen = createScreen({ isTTY: true, rows: 4, write: (text) => (written += text) }, {});
    screen.ask('Abort?');
    screen.frame(['one', 'two', 'three', 'four']);
    expect(written).toContain(`one\n  … 3 more\n${ESCAPE}[1mAbort?`);
    screen.ask(undefined);
    screen.frame([]);
    expect(written.endsWith(`${ESCAPE}[3A${ESCAPE}[J`)).toBe(true);
  });

  test('a terminal that does not know its size gets the whole frame', () => {
    let written = '';
    createScreen({ isTTY: true, rows: 0, write: (text) => (written += text) }, {}).frame(['one', 'two', 'three']);
    expect(written).toContain('one\ntwo\nthree\n');
  });

  test('on a log a question is a line', () => {
    let written = '';
    createScreen({ write: (text) => (written += text) }, {}).ask('Abort?');
    expect(written).toBe('Abort?\n');
  });

  test('control characters of a server stay powerless', () => {
    expect(printable(`a${ESCAPE}[2Jb\r\nc\u009b`)).toBe('a [2Jb  c ');
  });
});
