import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compiled, violationsOf } from '../../../../lab/aws/referee/judge.ts';
import { readModels, type ServiceModel, type Shape } from '../../../../lab/aws/referee/model.ts';
import { LAB_PACKAGES, pythonPackages } from '../../../../lab/shared/python-packages.ts';

const NO_PROTOCOL = { metadata: { protocol: 'json' }, operations: {} };

/** A shape with all shapes below it, and values that fit it. */
interface Specimen {
  shapes: Record<string, Shape>;
  root: string;
  fitting: fc.Arbitrary<unknown>;
}

let made = 0;
function specimen(shape: Shape, fitting: fc.Arbitrary<unknown>, below: Specimen[] = []): Specimen {
  const root = `Shape${made++}`;
  return { root, fitting, shapes: Object.assign({ [root]: shape }, ...below.map(({ shapes }) => shapes)) };
}

const range = fc.tuple(fc.nat(5), fc.nat(5)).map(([min, more]) => ({ min, max: min + more }));
const scalar: fc.Arbitrary<Specimen> = fc.oneof(
  range.map((limits) =>
    specimen(
      { type: 'string', ...limits },
      fc.string({ unit: 'grapheme-ascii', minLength: limits.min, maxLength: limits.max }),
    ),
  ),
  range.map((limits) => specimen({ type: 'integer', ...limits }, fc.integer(limits))),
  fc.constant(0).map(() => specimen({ type: 'string', enum: ['A', 'B'] }, fc.constantFrom('A', 'B'))),
  fc.constant(0).map(() => specimen({ type: 'string', pattern: '[a-z]+' }, fc.stringMatching(/^[a-z]+$/))),
  fc.constant(0).map(() => specimen({ type: 'boolean' }, fc.boolean())),
  fc.constant(0).map(() => specimen({ type: 'timestamp' }, fc.double({ noNaN: true, noDefaultInfinity: true }))),
  fc.constant(0).map(() =>
    specimen(
      { type: 'blob' },
      fc.uint8Array().map((bytes) => Buffer.from(bytes).toString('base64')),
    ),
  ),
);
const { any } = fc.letrec<{ any: Specimen }>((tie) => ({
  any: fc.oneof({ depthSize: 'small' }, scalar, list(tie('any')), map(tie('any')), structure(tie('any'))),
}));

function list(item: fc.Arbitrary<Specimen>): fc.Arbitrary<Specimen> {
  return fc
    .tuple(item, range)
    .map(([below, limits]) =>
      specimen(
        { type: 'list', member: { shape: below.root }, ...limits },
        fc.array(below.fitting, { minLength: limits.min, maxLength: limits.max }),
        [below],
      ),
    );
}

function map(item: fc.Arbitrary<Specimen>): fc.Arbitrary<Specimen> {
  return item.map((below) => {
    const key = specimen({ type: 'string', max: 3 }, fc.string());
    const keys = fc.string({ unit: 'grapheme-ascii', maxLength: 3 });
    return specimen(
      { type: 'map', key: { shape: key.root }, value: { shape: below.root } },
      fc.dictionary(keys, below.fitting, { maxKeys: 3, noNullPrototype: true }),
      [key, below],
    );
  });
}

function structure(item: fc.Arbitrary<Specimen>): fc.Arbitrary<Specimen> {
  return fc.tuple(item, item).map(([first, second]) => {
    const members = { first: { shape: first.root }, second: { shape: second.root } };
    const fitting = fc.record({ first: first.fitting, second: second.fitting }, { requiredKeys: ['first'] });
    return specimen({ type: 'structure', required: ['first'], members }, fitting, [first, second]);
  });
}

const judge = ({ shapes, root }: Specimen, value: unknown) => violationsOf({ ...NO_PROTOCOL, shapes }, root, value);
const sample = any.chain((one) => one.fitting.map((value) => ({ one, value })));

describe('the referee', () => {
  it('lets pass every value that fits its shape', () => {
    fc.assert(
      fc.property(sample, ({ one, value }) => {
        expect(judge(one, value)).toEqual([]);
      }),
    );
  });

  it('lets no value pass in the place of one of another type', () => {
    const stranger = (shape: Shape | undefined): unknown => (shape?.type === 'boolean' ? 'true' : true);
    fc.assert(
      fc.property(any, (one) => {
        expect(judge(one, stranger(one.shapes[one.root]))).not.toEqual([]);
      }),
    );
  });

  it('names a required member that is missing and a member that is unknown, wherever the structure is', () => {
    const below = structure(any).chain((one) => one.fitting.map((value) => ({ one, value: Object(value) })));
    fc.assert(
      fc.property(below, ({ one, value: { first, ...others } }) => {
        const holder = specimen({ type: 'list', member: { shape: one.root } }, fc.constant(0), [one]);
        expect(judge(holder, [others])).toContainEqual({ path: '[0].first', rule: 'is required' });
        expect(judge(holder, [{ first, ...others, third: 1 }])).toEqual([{ path: '[0].third', rule: 'is no member' }]);
      }),
    );
  });

  it.each<[string, Shape, unknown]>([
    ['a text that is too short', { type: 'string', min: 2 }, 'x'],
    ['a text that is too long', { type: 'string', max: 2 }, 'xyz'],
    ['a list that is too short', { type: 'list', min: 1 }, []],
    ['a list that is too long', { type: 'list', max: 1 }, [1, 2]],
    ['a map with too many entries', { type: 'map', max: 1 }, { a: 1, b: 2 }],
    ['a number that is too small', { type: 'integer', min: 2 }, 1],
    ['a number that is too large', { type: 'long', max: 2 }, 3],
    ['a number that is not whole', { type: 'integer' }, 1.5],
    ['a value outside its enum', { type: 'string', enum: ['A'] }, 'a'],
    ['a text of which only a part matches', { type: 'string', pattern: '[a-z]+' }, 'abc1'],
    ['a text with a line feed after what matches', { type: 'string', pattern: '^[a-z]+$' }, 'abc\n'],
    ['bytes that are too many', { type: 'blob', max: 1 }, Buffer.from('ab')],
    ['bytes that are no base64', { type: 'blob' }, 'a'],
    ['a time that is none', { type: 'timestamp' }, 'yesterday'],
    [
      'two members where one is chosen',
      { type: 'structure', union: true, members: { a: { shape: 'X' }, b: { shape: 'X' } } },
      { a: 'A', b: 'A' },
    ],
    ['null', { type: 'structure', members: { a: { shape: 'X' } } }, { a: null }],
    ['a member that only the prototype has', { type: 'structure', members: {} }, { toString: 'x' }],
  ])('refuses %s', (_what, shape, value) => {
    const model: ServiceModel = { ...NO_PROTOCOL, shapes: { Root: shape, X: { type: 'string' } } };
    expect(violationsOf(model, 'Root', value)).toHaveLength(1);
  });
});

it('can read every pattern of the services that the lab stands in for', () => {
  const models = readModels(pythonPackages(LAB_PACKAGES));
  const patterns = [...models.values()].flatMap(({ shapes }) =>
    Object.values(shapes).flatMap(({ pattern }) => pattern ?? []),
  );
  expect(patterns.length).toBeGreaterThan(200);
  for (const pattern of patterns) expect(() => compiled(pattern)).not.toThrow();
});
