import type { APIGatewayProxyEvent } from 'aws-lambda';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { admit } from '../../../../functions/admission/admit.ts';
import { abortExperiment } from '../../../../functions/api/abort-experiment.ts';
import { bodyOf, callerOf, refuseContent, route, withExperimentId } from '../../../../functions/api/answer.ts';
import { getExperiment, getExperimentStatus } from '../../../../functions/api/get-experiment.ts';
import { listExperiments } from '../../../../functions/api/list-experiments.ts';
import { startExperiment } from '../../../../functions/api/start-experiment.ts';
import { FAULT_KINDS, isReplacedAfter } from '../../../../functions/domain/faults/catalogue.ts';
import { nodes, portsOf, readings } from '../../admission/fixtures.ts';
import { configuration } from '../../domain/configuration-fixtures.ts';
import { detailsOf } from '../../domain/fixtures.ts';
import { actionOf } from '../../domain/kind-parameters.ts';
import { controlPlane, STEP } from '../control-plane.ts';
import { CLUSTERS, forbidden, IN_SCALING_GROUP, WITH_INSTANCE_STORE, WITH_TELEMETRY, type World } from './policy.ts';

const REQUESTS = 10_000;
const { 'redis-master': live, staging } = CLUSTERS;
const clusters = configuration(
  { maxDurationSeconds: live.maxSeconds },
  {
    staging: {
      tier: 'staging',
      blastRadius: { maxNodesPct: 50, maxTrafficSharePct: 100 * staging.maxShare },
      disposable: staging.disposable,
    },
  },
);

function portsIn(world: World) {
  const members = nodes.map((node) => {
    const telemetry = node.name === WITH_TELEMETRY ? ['10.0.9.9'] : [];
    const tags = node.name === IN_SCALING_GROUP ? { ...node.tags, 'aws:autoscaling:groupName': 'stores' } : node.tags;
    return { ...node, tags, addresses: [...node.addresses, ...telemetry] };
  });
  const stored = members.find(({ name }) => name === WITH_INSTANCE_STORE)?.instanceId ?? '';
  return portsOf({
    listLiveNodes: async () => members,
    engagedSwitch: async () => (world.killSwitchEngaged ? { engaged: true } : undefined),
    lockHolder: async () => world.lockedBy,
    readTrafficShare: async () => world.trafficShare,
    readAlarmStates: async (names) => new Map(names.map((name) => [name, world.alarmState])),
    readGuardrails: async () =>
      world.guardrailBreached ? readings.map((one) => ({ ...one, breached: true })) : readings,
    instanceStoreOf: async (ids) => ids.filter((id) => id === stored),
    scalingGroups: async () => [{ name: 'stores', healthChecks: ['EC2'], suspendedProcesses: [] }],
  });
}

/** The API with all of its routes, on tables in memory. */
function apiIn(world: World) {
  const plane = controlPlane();
  const { audit, clock, dependencies } = plane;
  const ports = portsIn(world);
  let tokens = 0;
  const start = route(
    async (event) =>
      refuseContent(event) ??
      startExperiment(
        {
          body: bodyOf(event),
          dryRun: event.queryStringParameters?.dryRun === 'true',
          caller: callerOf(event),
          ownerToken: `token-${++tokens}`,
        },
        {
          ...dependencies,
          clusters: clusters.clusters,
          switches: {
            read: async () => [{ engaged: world.killSwitchEngaged }],
          },
          admit: (experiment, caller) => admit(experiment, clusters, ports, clock, 'Holdfast-Test-', caller),
          executions: {
            start: async (name) => {
              await audit.append(name, 'INJECTING', STEP, detailsOf('INJECTING'));
              await audit.append(name, 'INJECTED', STEP, detailsOf('INJECTED'));
            },
          },
        },
      ),
    { dryRun: ['true', 'false'] },
  );
  const reading = { audit, leases: dependencies.leases, clock };
  return {
    start,
    get: route((event) => withExperimentId(event, (id) => getExperiment(id, reading))),
    status: route((event) => withExperimentId(event, (id) => getExperimentStatus(id, reading))),
    abort: route((event) =>
      withExperimentId(event, (id) => abortExperiment(id, callerOf(event), plane.abortDependencies)),
    ),
    list: route((event) => listExperiments(event.queryStringParameters ?? {}, { records: { find: async () => [] } }), {
      cluster: 'any',
      fault: 'any',
    }),
  };
}

const WELL: World = {
  ...{ killSwitchEngaged: false, lockedBy: undefined, alarmState: 'OK', guardrailBreached: false, trafficShare: 0.05 },
};
/** Well, or with one thing that speaks against a start. */
const world = fc
  .oneof(
    { weight: 4, arbitrary: fc.constant<Partial<World>>({}) },
    {
      weight: 1,
      arbitrary: fc.constantFrom<Partial<World>>(
        { killSwitchEngaged: true },
        { lockedBy: 'exp_other' },
        { alarmState: 'ALARM' },
        { alarmState: 'INSUFFICIENT_DATA' },
        { guardrailBreached: true },
        { trafficShare: 0.11 },
      ),
    },
  )
  .map((change): World => ({ ...WELL, ...change }));

/** The names that the generator of parameters knows become nodes of the fleet. */
const renamed = (parameters: object, [third, fourth, fifth]: readonly number[]): Record<string, unknown> =>
  JSON.parse(
    JSON.stringify(parameters)
      .replaceAll('"redis-node-3"', `"redis-node-${third}"`)
      .replaceAll('"a"', `"redis-node-${fourth}"`)
      .replaceAll('"Z9._-x"', `"redis-node-${fifth}"`),
  );
const cluster = fc.constantFrom('redis-master', 'redis-master', 'staging', 'staging', 'other');
const others = fc.shuffledSubarray([3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13], { minLength: 3, maxLength: 3 });
/** On one node where the kind takes one: most of the others are refused for their number. */
const anyFault = fc
  .tuple(actionOf(FAULT_KINDS), cluster, others, fc.boolean())
  .map(([{ action, parameters }, targetService, numbers, one]) => {
    const own = renamed(parameters, numbers);
    const targets = Array.isArray(own.targetNodes) ? own.targetNodes : undefined;
    return { targetService, action, parameters: one && targets ? { ...own, targetNodes: targets.slice(-1) } : own };
  });
/** Admitted only with exactly the nodes of its zone. */
const zone = fc
  .tuple(cluster, fc.constantFrom('eu-west-1a', 'eu-west-1b', 'eu-west-1c'))
  .map(([targetService, availabilityZone]) => {
    const inZone = nodes.filter((node) => node.availabilityZone === availabilityZone);
    const parameters: Record<string, unknown> = { targetNodes: inZone.map(({ name }) => name), availabilityZone };
    return { targetService, action: 'AZ_DISCONNECT', parameters };
  });
const fault = fc.oneof({ weight: 9, arbitrary: anyFault }, { weight: 1, arbitrary: zone });
const common = fc.record({
  experimentId: fc.oneof(fc.stringMatching(/^[\w-]{1,50}$/), fc.constantFrom('GLOBAL', 'exp_1')),
  durationSeconds: fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: -1, max: 700 })),
  safetyThreshold: fc.record({
    maxAlertSeverity: fc.constantFrom('NONE', 'INFO', 'WARNING', 'CRITICAL'),
    automaticRollbackOnAlert: fc.boolean(),
  }),
});
const payload = fc.oneof(
  { weight: 3, arbitrary: fc.tuple(common, fault).map(([all, one]): object => ({ ...all, ...one })) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(common, fc.array(fault, { maxLength: 11 }))
      .map(([all, faults]): object => ({ ...all, faults })),
  },
);
const odd = fc.constantFrom<unknown>(
  null,
  [],
  {},
  -1,
  0.5,
  1e9,
  '',
  'x'.repeat(2000),
  '__proto__',
  '\ud800',
  true,
  [[]],
  { a: {} },
);
/** A payload with one of its fields, however deep, taken away, made odd, or put beside another. */
function changed(value: unknown, at: readonly number[], how: 'gone' | 'odd' | 'more', other: unknown): unknown {
  if (typeof value !== 'object' || value === null) return how === 'odd' ? other : value;
  const names = Object.keys(value);
  const [here = 0, ...deeper] = at;
  const name = names[here % Math.max(1, names.length)];
  if (how === 'more' && deeper.length === 0)
    return Array.isArray(value) ? [...value, other] : { ...value, unknown: other };
  if (name === undefined) return other;
  const inner = (value as Record<string, unknown>)[name];
  if (deeper.length === 0 && how === 'gone') {
    if (Array.isArray(value)) return value.filter((_, index) => String(index) !== name);
    const { [name]: _, ...rest } = value as Record<string, unknown>;
    return rest;
  }
  const replaced = deeper.length === 0 ? other : changed(inner, deeper, how, other);
  if (Array.isArray(value)) return value.map((item, index) => (String(index) === name ? replaced : item));
  return { ...value, [name]: replaced };
}
const at = fc.array(fc.nat(9), { minLength: 1, maxLength: 4 });
const changedPayload = fc
  .tuple(payload, at, fc.constantFrom('gone' as const, 'odd' as const, 'more' as const), odd)
  .map(([value, path, how, other]) => changed(value, path, how, other));

/** `ambiguous`: two readers could take the text for two different requests, or it is none. */
interface Body {
  text: string;
  ambiguous: boolean;
}
const spoilt: Record<string, (text: string) => string> = {
  bom: (text) => `\uFEFF${text}`,
  twice: (text) => `${text.slice(0, -1)},"durationSeconds":1}`,
  huge: (text) => text.replace(/"durationSeconds":-?\d+/, '"durationSeconds":1e400'),
  precise: (text) => text.replace(/"durationSeconds":(-?\d+)/, '"durationSeconds":$1.00000000000000001'),
  cut: (text) => text.slice(0, -1),
  deep: (text) => `${text.slice(0, -1)},"deep":${'['.repeat(5000)}${']'.repeat(5000)}}`,
  large: (text) => `${text}${' '.repeat(70_000)}`,
  two: (text) => text + text,
  proto: (text) => `${text.slice(0, -1)},"__proto__":{}}`,
};
const body: fc.Arbitrary<Body> = fc.oneof(
  { weight: 6, arbitrary: payload.map((value) => ({ text: JSON.stringify(value), ambiguous: false })) },
  { weight: 3, arbitrary: changedPayload.map((value) => ({ text: JSON.stringify(value) ?? '', ambiguous: false })) },
  {
    weight: 1,
    arbitrary: fc.tuple(payload, fc.constantFrom(...Object.values(spoilt))).map(([value, spoil]) => ({
      text: spoil(JSON.stringify(value)),
      ambiguous: spoil(JSON.stringify(value)) !== JSON.stringify(value),
    })),
  },
  { weight: 1, arbitrary: fc.string().map((text) => ({ text, ambiguous: true })) },
);
const query = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(null, { dryRun: 'true' }, { dryRun: 'false' }) },
  {
    weight: 1,
    arbitrary: fc.dictionary(fc.constantFrom('dryRun', 'dryrun', 'cluster', 'fault', '__proto__', 'x'), fc.string()),
  },
);
const headers = fc.oneof(
  { weight: 9, arbitrary: fc.constant<Record<string, string>>({ 'Content-Type': 'application/json' }) },
  {
    weight: 1,
    arbitrary: fc.dictionary(
      fc.constantFrom('Content-Type', 'content-type', 'Content-Encoding'),
      fc.constantFrom('application/json', 'text/plain', 'gzip', ''),
    ),
  },
);
const request = fc.record({
  world,
  body,
  query,
  headers,
  base64: fc.boolean(),
  method: fc.constantFrom(
    'start' as const,
    'start' as const,
    'start' as const,
    'start' as const,
    'get' as const,
    'status' as const,
    'abort' as const,
    'list' as const,
  ),
  id: fc.oneof(fc.string(), fc.constantFrom('exp_1', 'GLOBAL', 'REFUSAL#token-1', 'x'.repeat(5000))),
});
type Request = typeof request extends fc.Arbitrary<infer R> ? R : never;

function eventOf({ body: { text }, query: sent, headers: given, base64, id }: Request): APIGatewayProxyEvent {
  const event = {
    headers: given,
    body: base64 ? Buffer.from(text).toString('base64') : text,
    isBase64Encoded: base64,
    queryStringParameters: sent,
    multiValueQueryStringParameters:
      sent && Object.fromEntries(Object.entries(sent).map(([name, value]) => [name, [value]])),
    pathParameters: { experimentId: id },
    requestContext: {
      requestId: 'request',
      identity: { userArn: 'arn:aws:iam::1:user/a', accountId: '1', sourceIp: '10.0.0.1' },
    },
  };
  // As much of an event as the routes read.
  return event as unknown as APIGatewayProxyEvent;
}

describe('the API', () => {
  it('answers 10,000 requests without failing, and admits none that the policy forbids', {
    timeout: 600_000,
  }, async () => {
    const admitted: Record<string, number> = {};
    const statuses = new Set<number>();
    await fc.assert(
      fc.asyncProperty(request, async (sent) => {
        const api = apiIn(sent.world);
        const { statusCode, body: answer } = await api[sent.method](eventOf(sent));
        statuses.add(statusCode);
        expect(statusCode, answer).toBeLessThan(500);
        expect(typeof JSON.parse(answer)).toBe('object');
        if (sent.method !== 'start' || statusCode >= 300) return;
        expect(sent.body.ambiguous).toBe(false);
        const asked = JSON.parse(sent.body.text);
        expect(forbidden(asked, sent.world)).toBeUndefined();
        for (const { action } of asked.faults ?? [asked]) admitted[action] = (admitted[action] ?? 0) + 1;
        // The same again is the same answer; a dry run, which reserves nothing, too.
        expect(await api.start(eventOf(sent))).toMatchObject({ statusCode, body: answer });
      }),
      { numRuns: REQUESTS },
    );
    // Else it would have shown nothing: each kind was admitted that this engine may have, and each sort of refusal given.
    const possible = FAULT_KINDS.filter((kind) => !isReplacedAfter(kind));
    expect(Object.keys(admitted).sort()).toEqual([...possible].sort());
    expect([...statuses].sort()).toEqual([200, 202, 400, 404, 409, 413, 422]);
  });
});
