import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FAULT_KINDS } from '../../../functions/domain/faults/catalogue.ts';
import { KILL_SWITCH_ID } from '../../../functions/domain/names.ts';
import { parseExperiment } from '../../../functions/domain/parse-experiment.ts';
import { named, seedExperiment, seedPayload } from './experiment-fixtures.ts';
import { actionOf, shortestDurationSeconds } from './kind-parameters.ts';

const limits = { 'redis-master': { maxDurationSeconds: 300, budgets: { unavailableSeconds: 30 } } };
const parse = (payload: unknown) => parseExperiment(JSON.stringify(payload), limits);

function fieldsOf(payload: unknown): string[] {
  const parsed = parse(payload);
  return parsed.ok ? [] : (parsed.problem.errors ?? []).map(({ field }) => field);
}

function withField(path: string, value: unknown) {
  const payload: Record<string, unknown> = seedPayload();
  const [outer = '', inner] = path.split('.');
  if (inner === undefined) payload[outer] = value;
  else payload[outer] = { ...Object(payload[outer]), [inner]: value };
  return payload;
}

describe('parsing an experiment', () => {
  it("accepts the mission's example and impacts the smaller group", () => {
    expect(parse(seedPayload())).toEqual({ ok: true, experiment: seedExperiment() });
  });

  it('impacts group B when both groups are equal, and A when it is smaller', () => {
    const groups = (a: string[], b: string[]) => {
      const parsed = parse({
        ...seedPayload(),
        parameters: { packetLossPct: 100, targetPartitionGroupA: a, targetPartitionGroupB: b },
      });
      return parsed.ok ? parsed.experiment.faults[0]?.impactedNodes : parsed.problem;
    };
    expect(groups(['a'], ['b'])).toEqual(['b']);
    expect(groups(['a'], ['b', 'c'])).toEqual(['a']);
  });

  it.each([
    ['experimentId', 'x'.repeat(51)],
    ['experimentId', ''],
    ['experimentId', KILL_SWITCH_ID],
    ['experimentId', 'a/b'],
    ['targetService', ''],
    ['action', 'NETWORK_SPLIT'],
    ['parameters.latencyMs', 1],
    ['parameters.packetLossPct', 0],
    ['parameters.packetLossPct', 101],
    ['parameters.packetLossPct', '100'],
    ['parameters.packetLossPct', 12.5],
    ['parameters.targetPartitionGroupA', []],
    ['parameters.targetPartitionGroupA', ['n1', 'n1']],
    ['parameters.targetPartitionGroupB', ['redis-node-1']],
    ['parameters.scope', 'all'],
    ['parameters.targetNodes', ['redis-node-1']],
    ['durationSeconds', 0],
    ['durationSeconds', 301],
    ['durationSeconds', 601],
    ['durationSeconds', 1.5],
    ['durationSeconds', -1],
    ['safetyThreshold.maxAlertSeverity', 'LOW'],
    ['safetyThreshold.automaticRollbackOnAlert', 'false'],
    ['safetyThreshold.automaticRollbackOnAlerts', false],
    ['dryrun', true],
  ])('refuses %s = %j and names that field', (field, value) => {
    expect(fieldsOf(withField(field, value))).toContain(field);
  });

  it('names every wrong field at once, each with what is allowed', () => {
    const payload = {
      ...seedPayload(),
      experimentId: 'a b',
      durationSeconds: 0,
      extra: 1,
      parameters: { packetLossPct: 0 },
    };
    const parsed = parse(payload);
    if (parsed.ok) throw new Error('accepted');
    expect(fieldsOf(payload).toSorted()).toEqual([
      'durationSeconds',
      'experimentId',
      'extra',
      'parameters.packetLossPct',
      'parameters.targetPartitionGroupA',
      'parameters.targetPartitionGroupB',
    ]);
    expect(parsed.problem).toMatchObject({ type: 'urn:holdfast:problem:invalid-request', status: 400 });
    expect(parsed.problem.errors?.every(({ message, allowed }) => message !== '' && allowed !== '')).toBe(true);
  });

  it('takes roles instead of names, and leaves open which nodes are hit', () => {
    const parameters = {
      packetLossPct: 100,
      targetPartitionGroupA: [{ role: 'master', of: 'shard-1' }],
      targetPartitionGroupB: ['redis-node-1', { role: 'rest' }],
    };
    const parsed = parse({ ...seedPayload(), parameters });
    if (!parsed.ok) throw new Error(JSON.stringify(parsed.problem));
    const [fault] = parsed.experiment.faults;
    expect(fault).not.toHaveProperty('impactedNodes');
    expect(fault?.parameters).toEqual({
      ...{ kind: 'NETWORK_PARTITION', latencyMs: 0, scope: 'isolate', direction: 'both' },
      ...parameters,
    });
  });

  it.each<[string, unknown, string, RegExp]>([
    ['an unknown field', { role: 'master', off: 'shard-1' }, '.off', /role, of, count/],
    ['a role that is no word', { role: 'the master' }, '.role', /minority, all or rest/],
    ['no role', { of: 'shard-1' }, '.role', /minority, all or rest/],
    ['a rest of something', { role: 'rest', of: 'shard-1' }, '.of', /not beside rest/],
    ['a minority of nothing', { role: 'minority' }, '.of', /needed for minority/],
    ['a counted minority', { role: 'minority', of: 'shard-1', count: 1 }, '.count', /not beside minority/],
    ['a count of 0', { role: 'replica', of: 'shard-1', count: 0 }, '.count', /1 to 100/],
    ['a name that a shell would act on', { role: 'replica', of: '$(reboot)' }, '.of', /shard/],
    ['neither a name nor a role', 3, '', /by its name or by its role/],
  ])('refuses in a list of nodes %s, and names the field', (_what, entry, below, allowed) => {
    const parsed = parse(withField('parameters.targetPartitionGroupB', [entry]));
    if (parsed.ok) throw new Error('accepted');
    expect(parsed.problem.errors).toEqual([
      {
        field: `parameters.targetPartitionGroupB.0${below}`,
        message: expect.stringMatching(/\S/),
        allowed: expect.stringMatching(allowed),
      },
    ]);
  });

  it('refuses the same role twice in a list', () => {
    const twice = [
      { role: 'replica', of: 'shard-1' },
      { of: 'shard-1', role: 'replica' },
    ];
    expect(fieldsOf(withField('parameters.targetPartitionGroupB', twice))).toEqual([
      'parameters.targetPartitionGroupB',
    ]);
  });

  it('finds overlapping groups even when another parameter is wrong', () => {
    const parameters = { packetLossPct: 500, targetPartitionGroupA: ['n1'], targetPartitionGroupB: ['n1'] };
    expect(fieldsOf({ ...seedPayload(), parameters })).toEqual([
      'parameters.packetLossPct',
      'parameters.targetPartitionGroupB',
    ]);
  });

  it.each(['GLOBAL', 'exp_other-sweep-29664000'])(
    'refuses the id %s: it would be the kill switch, or keep the rollback of another experiment from starting',
    (experimentId) => expect(fieldsOf(withField('experimentId', experimentId))).toEqual(['experimentId']),
  );

  it('refuses what is missing, field by field', () => {
    for (const field of Object.keys(seedPayload())) expect(fieldsOf(withField(field, undefined))).toContain(field);
  });

  it('lets a request allow its clients less unavailability than the cluster does, and never more', () => {
    const budgets = { unavailableSeconds: 30 };
    expect(parse(withField('budgets', budgets))).toEqual({ ok: true, experiment: { ...seedExperiment(), budgets } });
    for (const unavailableSeconds of [30.1, 1e308, -1, '30', null]) {
      expect(fieldsOf(withField('budgets', { unavailableSeconds }))).toEqual(['budgets.unavailableSeconds']);
    }
    for (const wrong of [{}, { ...budgets, rtoSeconds: 1 }, [], 1]) {
      expect(fieldsOf(withField('budgets', wrong)).join()).toMatch(/^budgets/);
    }
  });

  it('takes whose acknowledgement the probe waits for, and leaves an experiment without it as it always was', () => {
    const parsed = parse(withField('probe', { acks: '1' }));
    expect(parsed).toEqual({ ok: true, experiment: { ...seedExperiment(), probe: { acks: '1' } } });
    expect(parse(seedPayload())).toEqual({ ok: true, experiment: seedExperiment() });
    const all = { consistency: 'EACH_QUORUM', client: 'default', timestamps: 'client' };
    expect(parse(withField('probe', all))).toMatchObject({ ok: true, experiment: { probe: all } });
    for (const [choice, wrong] of Object.entries({ consistency: 'ONE', client: 'fast', timestamps: 'both' }))
      expect(fieldsOf(withField('probe', { [choice]: wrong }))).toEqual([`probe.${choice}`]);
    expect(fieldsOf(withField('probe', { acks: 1 }))).toEqual(['probe.acks']);
    expect(fieldsOf(withField('probe', { acks: '0' }))).toEqual(['probe.acks']);
    expect(fieldsOf(withField('probe', { idempotent: true }))).toEqual(['probe.idempotent']);
  });

  it('answers 413 above 64 KB, 400 to what is not a JSON object, and lets no __proto__ through', () => {
    const status = (body: string) => {
      const parsed = parseExperiment(body, limits);
      return parsed.ok ? 202 : parsed.problem.status;
    };
    expect(status(' '.repeat(64 * 1024 + 1))).toBe(413);
    for (const body of ['', '{', 'null', '[]', '"x"', '1']) expect(status(body)).toBe(400);
    expect(status(`{"__proto__":{"a":1},${JSON.stringify(seedPayload()).slice(1)}`)).toBe(400);
  });

  it('refuses any string with a shell metacharacter in any field that takes a string', () => {
    const metacharacters = [...'$`;|&<>(){}[]!*?~#\'"\\\n\r\t %=,:/@^+\0'];
    const holding = (characters: string[]) =>
      fc
        .tuple(fc.string({ maxLength: 10 }), fc.constantFrom(...characters), fc.string({ maxLength: 10 }))
        .map((parts) => parts.join(''));
    // The port of a node stands behind a colon, which no shell acts on inside a word.
    const [hostile, hostileNode] = [holding(metacharacters), holding(metacharacters.filter((one) => one !== ':'))];
    const fields = ['experimentId', 'targetService', 'action', 'parameters.scope', 'safetyThreshold.maxAlertSeverity'];
    fc.assert(
      fc.property(hostile, fc.constantFrom(...fields), (value, field) => {
        expect(fieldsOf(withField(field, value))).toContain(field);
      }),
    );
    fc.assert(
      fc.property(hostileNode, fc.constantFrom('A', 'B'), (value, group) => {
        const field = `parameters.targetPartitionGroup${group}`;
        expect(fieldsOf(withField(field, [value]))).toContain(`${field}.0`);
      }),
    );
  });

  it('keeps every value of any valid payload', () => {
    const id = fc.stringMatching(/^[A-Za-z0-9_-]{1,50}$/).filter((value) => value !== KILL_SWITCH_ID);
    const actionAndDuration = actionOf(FAULT_KINDS).chain(({ action, parameters }) =>
      fc
        .integer({ min: shortestDurationSeconds(action, parameters), max: 300 })
        .map((durationSeconds) => ({ action, parameters, durationSeconds })),
    );
    const request = fc.record({
      experimentId: id,
      targetService: fc.constant('redis-master'),
      safetyThreshold: fc.record({
        maxAlertSeverity: fc.constantFrom('NONE', 'INFO', 'WARNING', 'CRITICAL'),
        automaticRollbackOnAlert: fc.boolean(),
      }),
    });
    fc.assert(
      fc.property(request, actionAndDuration, (common, { action, parameters, durationSeconds }) => {
        const parsed = parse({ ...common, action, parameters, durationSeconds });
        if (!parsed.ok) throw new Error(JSON.stringify(parsed.problem));
        const { experimentId, safetyThreshold, faults } = named(parsed.experiment);
        expect({ experimentId, durationSeconds: parsed.experiment.durationSeconds, safetyThreshold }).toEqual({
          experimentId: common.experimentId,
          durationSeconds,
          safetyThreshold: common.safetyThreshold,
        });
        const [fault, ...others] = faults;
        expect(others).toEqual([]);
        expect(fault).toMatchObject({ faultId: `${experimentId}.1`, kind: action, cluster: 'redis-master' });
        expect(fault?.parameters).toMatchObject({ ...parameters, kind: action });
        if (fault?.parameters.kind === 'NETWORK_PARTITION') {
          const { targetPartitionGroupA: a, targetPartitionGroupB: b } = fault.parameters;
          expect(fault.impactedNodes.length).toBeLessThanOrEqual((a.length + b.length) / 2);
        } else expect(fault?.impactedNodes).toEqual(parameters.targetNodes);
      }),
    );
  });
});
