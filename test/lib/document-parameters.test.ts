import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { portsOf } from '../../functions/domain/configuration.ts';
import {
  HOST_FAULT_KINDS,
  type HostFaultKind,
  hostKindOf,
  kindOf,
  refusalOf,
  scriptName,
} from '../../functions/domain/faults/catalogue.ts';
import { parseExperiment } from '../../functions/domain/parse-experiment.ts';
import type { ResolvedTargets } from '../../functions/domain/targets.ts';
import type { NodeCommand } from '../../functions/domain/workflow.ts';
import { type Configuration, parseConfiguration } from '../../functions/engines/configuration.ts';
import { engineOf } from '../../functions/engines/registry.ts';
import { nodeCommands } from '../../functions/inject/node-command.ts';
import { documentParameters } from '../../lib/document-parameters.ts';
import { codePoint } from '../functions/domain/code-point.ts';
import { configuration as fixture } from '../functions/domain/configuration-fixtures.ts';
import { named, seedPayload } from '../functions/domain/experiment-fixtures.ts';
import { actionOf, valuesOf } from '../functions/domain/kind-parameters.ts';
import { targetNode } from '../functions/domain/target-fixtures.ts';

/** Mostly what a person would write, with the characters that are allowed somewhere else. */
const odd = fc.string({ unit: fc.constantFrom(...'aZ09._-@/ :\n'), maxLength: 12 });
/** Seldom odd: of a case in which several values are, nothing is accepted, and nothing is found. */
const oneOf = (other: fc.Arbitrary<string>, ...usual: string[]) =>
  fc.oneof({ weight: 9, arbitrary: fc.constantFrom(...usual) }, { weight: 1, arbitrary: other });
const number = (max: number) =>
  fc.oneof(
    { weight: 8, arbitrary: fc.integer({ min: 1, max }) },
    { weight: 1, arbitrary: fc.integer({ min: -1, max: 2 * max }) },
    { weight: 2, arbitrary: fc.integer({ min: 0, max: 20 * max }).map((tenths) => tenths / 10) },
  );
const path = odd.map((text) => `/${text}`);
const cluster = fc.record(
  {
    unit: oneOf(odd, 'redis-server', 'redis@6379', 'redis@{port}', 'redis.service'),
    hostCredentialsFile: oneOf(path, '/etc/holdfast/store.json'),
    dataDirectory: oneOf(path, '/var/lib/redis', '/data/{port}/redis'),
    port: fc.oneof(
      { weight: 4, arbitrary: number(65_535) },
      { weight: 1, arbitrary: fc.array(number(65_535), { maxLength: 17 }) },
    ),
    disposable: fc.boolean(),
  },
  { requiredKeys: [] },
);
/** Valid parameters, at times with one field replaced by anything. */
const action = fc
  .tuple(actionOf(HOST_FAULT_KINDS), fc.nat(), fc.oneof(odd, number(1_000), fc.constant([])), fc.nat({ max: 3 }))
  .map(([{ action: kind, parameters }, position, value, replace]) => {
    const fields = Object.keys(parameters);
    const field = fields[position % fields.length] ?? '';
    return { action: kind, parameters: replace === 0 ? { ...parameters, [field]: value } : parameters };
  });
const request = fc.record({
  action,
  experimentId: oneOf(odd, 'exp_1'),
  durationSeconds: number(600),
  leaseGraceSeconds: fc.integer({ min: 1, max: 31 }),
  ttlSeconds: fc.integer({ min: 1, max: 600 }),
});

type Wanted = typeof request extends fc.Arbitrary<infer W> ? W : never;

/** Where the cluster has several ports, each on another one of them. */
const nodesOn = (ports: readonly number[]) =>
  [1, 2, 3].map((number) =>
    targetNode(number, {
      addresses: [`10.0.0.${number}`, `fd00::${number}`],
      port: ports[number % ports.length] ?? 0,
    }),
  );

function configured(change: object, leaseGraceSeconds: number): Configuration | undefined {
  const base = fixture();
  try {
    const clusters = { 'redis-master': { ...base.clusters['redis-master'], ...change } };
    return parseConfiguration({ ...base, clusters, leaseGraceSeconds });
  } catch {
    return undefined;
  }
}

const TELEMETRY = ['10.0.9.9', 'fd00::99'];

/** The commands of whatever request and configuration accept together, cluster policy included. */
function commandsOf(change: object, wanted: Wanted): NodeCommand[] {
  const { experimentId, durationSeconds, ttlSeconds, leaseGraceSeconds } = wanted;
  const body = { ...seedPayload(), experimentId, durationSeconds, ...wanted.action };
  const parsed = parseExperiment(JSON.stringify(body), {});
  if (!parsed.ok) return [];
  const configuration = configured(change, leaseGraceSeconds);
  const target = configuration?.clusters['redis-master'];
  if (!configuration || !target) return [];
  const experiment = named(parsed.experiment);
  const { ports } = engineOf(target);
  if (experiment.faults.some(({ parameters }) => refusalOf(parameters, target, ports))) return [];
  const nodes = nodesOn(portsOf(target));
  const targets: ResolvedTargets = {
    faults: experiment.faults.map(({ faultId }) => ({
      faultId,
      impacted: nodes.slice(2),
      peers: nodes.slice(0, 2),
      shardMembers: nodes,
    })),
    exemptAddresses: { 'redis-master': TELEMETRY },
  };
  const context = { experiment, targets, clusters: configuration.clusters, leaseGraceSeconds };
  return nodeCommands(context, experiment.faults, ttlSeconds);
}

/** What the host's own program says of each: the third check of the same values. */
function hostAnswers(commands: readonly NodeCommand[]): { refusal: string | null; resource: string }[] {
  const input = commands.map(({ kind, parameters }) => JSON.stringify({ script: scriptName(kind), parameters }));
  const script = `${import.meta.dirname}/read-parameters.py`;
  const argv = ['-I', '-B', script, `${import.meta.dirname}/../../host`];
  const output = execFileSync('/usr/bin/python3', argv, { input: `${input.join('\n')}\n`, encoding: 'utf8' });
  return output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

describe('what request and configuration accept', () => {
  it('matches the patterns of the documents, so that nothing fails for its form on the way to a host', () => {
    const accepted = new Map<string, number>();
    const property = fc.property(cluster, request, (change, wanted) => {
      for (const { kind, parameters } of commandsOf(change, wanted)) {
        accepted.set(kind, 1 + (accepted.get(kind) ?? 0));
        const patterns = documentParameters(kind);
        expect(Object.keys(parameters).sort()).toEqual(Object.keys(patterns).sort());
        for (const [name, value] of Object.entries(parameters)) {
          expect(value, `${kind} ${name}`).toMatch(new RegExp(patterns[name]?.pattern ?? '(?!)'));
        }
      }
    });
    fc.assert(property, { numRuns: 5_000 });
    for (const kind of HOST_FAULT_KINDS) expect(accepted.get(kind), kind).toBeGreaterThan(30);
  });

  it('is what the host accepts too, and both know the same resource of a kind', () => {
    const commands = fc
      .sample(fc.tuple(cluster, request), 1_500)
      .flatMap(([change, wanted]) => commandsOf(change, wanted));
    const answers = hostAnswers(commands);
    expect(answers).toHaveLength(commands.length);
    for (const [index, { kind, parameters }] of commands.entries()) {
      expect(answers[index], JSON.stringify({ kind, parameters })).toEqual({
        refusal: null,
        resource: kindOf(kind).resource,
      });
    }
    for (const kind of HOST_FAULT_KINDS) expect(commands.some((command) => command.kind === kind)).toBe(true);
  });

  it('is refused by the host where two parameters break a rule of the API together, and only there', () => {
    const cases = HOST_FAULT_KINDS.flatMap((kind) => {
      const { document, rules } = hostKindOf(kind);
      const told = rules
        .map(({ first, second }) => [first, second])
        .filter((names) => names.every((name) => document[name]));
      return told.flatMap((names) => fc.sample(togetherOf(kind, names), 100));
    });
    const answers = hostAnswers(cases.map(({ command }) => command));
    const broken = cases.filter(({ refused }) => refused);
    expect(broken.length).toBeGreaterThan(50);
    expect(cases.length - broken.length).toBeGreaterThan(50);
    for (const [index, { refused, command }] of cases.entries()) {
      expect(answers[index]?.refusal !== null, JSON.stringify(command)).toBe(refused);
    }
  });
});

/** A command with two fields replaced by what each may hold alone, and whether the API refuses the two together. */
function togetherOf(kind: HostFaultKind, names: readonly string[]) {
  const { fields, schema, example } = hostKindOf(kind);
  const others = Object.entries(example).filter(([name]) => !names.includes(name));
  const values = names.map((name) => {
    const field = fields[name];
    if (!field) throw new Error(`${kind} has no field ${name}`);
    const mayBeLeftOut = field.schema.safeParse(undefined).success;
    return mayBeLeftOut ? fc.option(valuesOf(field.values), { nil: undefined }) : valuesOf(field.values);
  });
  const wanted = { experimentId: 'exp_1', durationSeconds: 60, ttlSeconds: 60, leaseGraceSeconds: 5 };
  const [command] = commandsOf({}, { ...wanted, action: { action: kind, parameters: example } });
  if (!command) throw new Error(`${kind}: its example is refused`);
  return fc.tuple(...values).map((drawn) => {
    const given = Object.fromEntries(names.map((name, index) => [name, drawn[index]]));
    const texts = names.map((name) => [name, fields[name]?.text?.write(fields[name]?.schema.parse(given[name]))]);
    return {
      refused: !schema.safeParse({ ...Object.fromEntries(others), ...given }).success,
      command: { ...command, parameters: { ...command.parameters, ...Object.fromEntries(texts) } },
    };
  });
}

/** What a shell, a line or a template would act on. */
const META = [...'$`;|&<>(){}*?!~#\'"\\ \t\n\r'];

describe('no pattern of a document', () => {
  it.each(HOST_FAULT_KINDS)('lets a character through that a shell would act on: %s', (kind) => {
    for (const [name, { pattern }] of Object.entries(documentParameters(kind))) {
      const shape = new RegExp(pattern);
      fc.assert(
        fc.property(fc.string({ unit: codePoint }), fc.constantFrom(...META), fc.string(), (before, meta, after) => {
          expect(shape.test(before + meta + after), name).toBe(false);
        }),
      );
    }
  });
});
