import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { experimentSchema, SCHEMA_FILE } from '../../cli/experiment-schema.ts';
import { FAULT_KINDS } from '../../functions/domain/faults/catalogue.ts';
import { parseExperiment } from '../../functions/domain/parse-experiment.ts';
import { readPayloads } from '../../lib/example-table.ts';
import { seedPayload } from '../functions/domain/experiment-fixtures.ts';
import { actionOf } from '../functions/domain/kind-parameters.ts';
import { holdfast } from './command.ts';

const ROOT = new URL('../../', import.meta.url);

/** The validator that a package of ours has already. */
const fromValidator = createRequire(createRequire(import.meta.url).resolve('asl-validator'));
const Ajv = fromValidator('ajv') as new (
  options: object,
) => {
  compile(schema: object): { (value: unknown): boolean; errors?: unknown };
};
const validate = new Ajv({ strictTypes: false, allErrors: true }).compile(experimentSchema());
const isValid = (payload: unknown): boolean => validate(payload);

const { targetService, action, parameters, ...common } = seedPayload() as unknown as Record<string, unknown>;
const one = { ...common, targetService, action, parameters };
const fault = { targetService, action, parameters };
const list = (...faults: object[]) => ({ ...common, faults });

describe('the JSON Schema', () => {
  test('in the repository is made of what the API reads now; `npm run generate` writes it, `holdfast schema` prints it', async () => {
    const text = readFileSync(new URL(SCHEMA_FILE, ROOT), 'utf8');
    expect(text).toBe(`${JSON.stringify(experimentSchema(), null, 2)}\n`);
    expect(await holdfast(['schema'])).toEqual({ code: 0, stdout: text, stderr: '' });
  });

  test('accepts every example, each of which names it', () => {
    for (const [file, payload] of Object.entries(readPayloads(new URL('examples/', ROOT)))) {
      expect(isValid(payload), `${file}: ${JSON.stringify(validate.errors)}`).toBe(true);
      expect(payload).toHaveProperty('$schema', './experiment.schema.json');
    }
  });

  test('refuses no experiment that the API accepts, in either form', () => {
    const numRuns = 500;
    const property = fc.property(actionOf(FAULT_KINDS), fc.boolean(), (of, asList) => {
      const payload = asList ? list({ targetService, ...of }) : { ...common, targetService, ...of };
      expect(parseExperiment(JSON.stringify(payload), {})).toMatchObject({ ok: true });
      expect(isValid(payload), JSON.stringify(validate.errors)).toBe(true);
    });
    fc.assert(property, { numRuns });
  });

  test('accepts roles in the lists of nodes', () => {
    const roles = [{ role: 'follower', of: 'orders-0', count: 2 }, { role: 'controller' }, 'redis-node-1'];
    const payload = { ...one, parameters: { ...Object(parameters), targetPartitionGroupA: roles } };
    expect(parseExperiment(JSON.stringify(payload), {}).ok).toBe(true);
    expect(isValid(payload), JSON.stringify(validate.errors)).toBe(true);
  });

  const check = { name: 'lag', measure: { kind: 'ENGINE', name: 'healthy' }, tolerance: { atMost: 1, unit: 'x' } };
  const PLANTED: [string, unknown][] = [
    ['an unknown field', { ...one, colour: 'red' }],
    ['a wrong type', { ...one, durationSeconds: '60' }],
    ['a TTL of 0', { ...one, durationSeconds: 0 }],
    ['a TTL above the maximum', { ...one, durationSeconds: 601 }],
    ['an id with a slash', { ...one, experimentId: '../x' }],
    ['no id', { ...one, experimentId: undefined }],
    ['an unknown action', { ...one, action: 'METEOR' }],
    ['no parameters', { ...one, parameters: undefined }],
    ["another kind's parameters", { ...one, action: 'PROCESS_KILL' }],
    ['a percentage above 100', { ...one, parameters: { ...Object(parameters), packetLossPct: 101 } }],
    ['an empty group', { ...one, parameters: { ...Object(parameters), targetPartitionGroupB: [] } }],
    [
      'a role without its word',
      { ...one, parameters: { ...Object(parameters), targetPartitionGroupB: [{ of: 'x' }] } },
    ],
    ['an unknown parameter', { ...one, parameters: { ...Object(parameters), loss: 1 } }],
    [
      'a severity that is none',
      { ...one, safetyThreshold: { maxAlertSeverity: 'LOW', automaticRollbackOnAlert: true } },
    ],
    ['a budget below 0', { ...one, budgets: { unavailableSeconds: -1 } }],
    ['both forms', { ...one, faults: [fault] }],
    ['no fault', list()],
    ['too many faults', list(...Array.from({ length: 11 }, () => fault))],
    ["in a list another kind's parameters", list({ ...fault, action: 'CPU_SPIKE' })],
    ['in a list an unknown field', list({ ...fault, durationSeconds: 3 })],
    ['in a list a late offset', list({ ...fault, offsetSeconds: 600 })],
    ['a steady state without measures', { ...one, steadyState: {} }],
    ['a hypothesis without words', { ...one, hypothesis: { checks: [check] } }],
    ['a tolerance without unit', { ...one, hypothesis: { statement: 's', checks: [{ ...check, tolerance: {} }] } }],
    ['a measure of nobody', { ...one, hypothesis: { statement: 's', checks: [{ ...check, measure: { kind: 'X' } }] } }],
    ['a $schema that is no text', { ...one, $schema: 1 }],
    ['a list', [one]],
  ];
  for (const [what, payload] of PLANTED) {
    test(`refuses ${what}, as the API does`, () => {
      const sent = JSON.parse(JSON.stringify(payload));
      expect(parseExperiment(JSON.stringify(sent), {}).ok).toBe(false);
      expect(isValid(sent)).toBe(false);
    });
  }

  test('says of each field, at every depth, what it may hold', () => {
    const undescribed: string[] = [];
    const look = (schema: unknown, path: string): void => {
      for (const [keyword, value] of Object.entries(Object(schema))) {
        if (keyword === 'properties' && !/\/(then|if)$/.test(path)) {
          for (const [name, inner] of Object.entries(Object(value))) {
            if (Object(inner).const === undefined && !Object(inner).description) undescribed.push(`${path}.${name}`);
          }
        }
        if (typeof value === 'object') look(value, `${path}/${keyword}`);
      }
    };
    look(experimentSchema(), '');
    expect(undescribed).toEqual([]);
  });
});

describe('$schema', () => {
  test('may stand in a payload of either form, and changes nothing', () => {
    for (const payload of [one, list(fault)]) {
      const without = parseExperiment(JSON.stringify(payload), {});
      expect(without.ok).toBe(true);
      expect(parseExperiment(JSON.stringify({ $schema: './x.json', ...payload }), {})).toEqual(without);
    }
  });

  test('is refused by name where it is no text of at most 500 characters', () => {
    for (const $schema of [1, null, 'x'.repeat(501)]) {
      const parsed = parseExperiment(JSON.stringify({ ...one, $schema }), {});
      expect(parsed).toMatchObject({
        problem: { errors: [{ field: '$schema', allowed: expect.stringContaining('at most 500 characters') }] },
      });
    }
  });
});
