import { type Member, type OperationModel, type ServiceModel, shapeNamed } from './model.ts';
import { type Decoded, unknownName, type WireProtocol } from './wire.ts';
import { scalarOf } from './wire-rest.ts';
import { parseXml, type XmlElement } from './xml.ts';

/** EC2: a form in, with the operation in `Action`; XML out. */
export const ec2Wire: WireProtocol = {
  operationOf: (model, { body }) => model.operations[new URLSearchParams(body.toString('utf8')).get('Action') ?? ''],
  input: (model, operation, { body }) => {
    const { Action: _action, Version: _version, ...form } = treeOf(new URLSearchParams(body.toString('utf8')));
    return operation.input === undefined ? { value: form } : { value: fromForm(model, operation.input.shape, form) };
  },
  output: (model, operation, { body }) => readable(() => fromAnswer(model, operation, body.toString())),
  error: (answer) => {
    const parsed = readable(() => errorCodeOf(answer.body.toString()));
    return 'unreadable' in parsed ? parsed : { code: String(parsed.value), status: answer.status, fields: {} };
  },
};

function readable(read: () => unknown): Decoded {
  try {
    return { value: read() };
  } catch (error) {
    return { unreadable: error instanceof Error ? error.message : String(error) };
  }
}

type Form = { [name: string]: string | Form };

/** `Filter.1.Value.2=x` → `{Filter: {1: {Value: {2: 'x'}}}}`. */
function treeOf(form: URLSearchParams): Form {
  const tree: Form = {};
  for (const [key, value] of form) {
    const names = key.split('.');
    const last = names.pop() ?? '';
    let at = tree;
    for (const name of names) {
      const below = at[name];
      const next: Form = typeof below === 'object' ? below : {};
      at[name] = next;
      at = next;
    }
    at[last] = value;
  }
  return tree;
}

function fromForm(model: ServiceModel, shapeName: string, form: string | Form): unknown {
  const shape = shapeNamed(model, shapeName);
  if (typeof form === 'string') return scalarOf(shape, form);
  if (shape.type === 'list' && shape.member !== undefined) {
    const item = shape.member.shape;
    return Object.values(form).map((value) => fromForm(model, item, value));
  }
  const members = new Map(
    Object.entries(shape.members ?? {}).map(([name, member]) => [formName(name, member), { name, member }]),
  );
  return Object.fromEntries(
    Object.entries(form).map(([name, value]) => {
      const found = members.get(name);
      return found ? [found.name, fromForm(model, found.member.shape, value)] : [unknownName(name), value];
    }),
  );
}

function formName(name: string, { queryName, locationName }: Member): string {
  const wireName = locationName ?? name;
  return queryName ?? wireName.charAt(0).toUpperCase() + wireName.slice(1);
}

/** @throws Error for XML that is not this operation's answer. */
function fromAnswer(model: ServiceModel, operation: OperationModel, body: string): unknown {
  const root = parseXml(body);
  if (root.name !== `${operation.name}Response`) throw new Error(`<${root.name}> is no answer to ${operation.name}`);
  const children = root.children.filter(({ name }) => name !== 'requestId');
  if (children.length === root.children.length) throw new Error('the answer has no requestId');
  return operation.output === undefined ? {} : fromXml(model, operation.output.shape, { ...root, children });
}

function fromXml(model: ServiceModel, shapeName: string, element: XmlElement): unknown {
  const shape = shapeNamed(model, shapeName);
  if (shape.type === 'list' && shape.member !== undefined) {
    const { shape: item, locationName = 'member' } = shape.member;
    const stranger = element.children.find(({ name }) => name !== locationName);
    if (stranger) throw new Error(`<${stranger.name}> in <${element.name}>, where <${locationName}> is expected`);
    return element.children.map((child) => fromXml(model, item, child));
  }
  if (shape.type !== 'structure') return scalarOf(shape, element.text);
  const members = new Map(
    Object.entries(shape.members ?? {}).map(([name, member]) => [member.locationName ?? name, { name, member }]),
  );
  return Object.fromEntries(
    element.children.map((child) => {
      const found = members.get(child.name);
      return found ? [found.name, fromXml(model, found.member.shape, child)] : [unknownName(child.name), child.text];
    }),
  );
}

/** @throws Error for XML that is no error of EC2. */
function errorCodeOf(body: string): string {
  const root = parseXml(body);
  const child = (element: XmlElement | undefined, name: string): XmlElement | undefined =>
    element?.children.find((candidate) => candidate.name === name);
  const error = child(child(root, 'Errors'), 'Error');
  const code = child(error, 'Code')?.text;
  if (root.name !== 'Response' || code === undefined || child(error, 'Message') === undefined)
    throw new Error('the answer is no error of EC2');
  return code;
}
