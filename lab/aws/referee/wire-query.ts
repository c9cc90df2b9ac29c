import type { WireRequest } from '../protocol/http.ts';
import { type Member, type OperationModel, type ServiceModel, shapeNamed } from './model.ts';
import { type Decoded, unknownName, type WireProtocol } from './wire.ts';
import { scalarOf } from './wire-rest.ts';
import { parseXml, type XmlElement } from './xml.ts';

/** How EC2's form of the protocol differs from the one of all other services. */
interface Dialect {
  nameInForm(name: string, member: Member): string;
  /** Between the name of a list and the number of an item; undefined: nothing. */
  listInfix?: string;
  /** Items of a list in XML, where the model does not say. */
  item: string;
  /** What of an answer holds the output. @throws Error for XML that is not this operation's answer. */
  outputOf(operation: OperationModel, root: XmlElement): XmlElement;
  /** @throws Error for XML that is no error of the dialect. */
  codeOf(root: XmlElement): string;
}

/** A form in, with the operation in `Action`; XML out. */
function queryWire(dialect: Dialect): WireProtocol {
  const formOf = ({ body }: WireRequest): URLSearchParams => new URLSearchParams(body.toString('utf8'));
  return {
    operationOf: (model, request) => model.operations[formOf(request).get('Action') ?? ''],
    input: (model, operation, request) => {
      const { Action: _action, Version: _version, ...form } = treeOf(formOf(request));
      return { value: operation.input === undefined ? form : fromForm(model, dialect, operation.input.shape, form) };
    },
    output: (model, operation, { body }) =>
      readable(() => {
        const output = dialect.outputOf(operation, parseXml(body.toString()));
        return operation.output === undefined ? {} : fromXml(model, dialect, operation.output.shape, output);
      }),
    error: ({ status, body }) => {
      const code = readable(() => dialect.codeOf(parseXml(body.toString())));
      return 'unreadable' in code ? code : { code: String(code.value), status, fields: {} };
    },
  };
}

const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

export const ec2Wire = queryWire({
  nameInForm: (name, { queryName, locationName }) => queryName ?? capital(locationName ?? name),
  item: 'item',
  outputOf: ({ name }, root) => {
    const children = root.children.filter((element) => element.name !== 'requestId');
    if (root.name !== `${name}Response` || children.length === root.children.length)
      throw new Error(`<${root.name}> is no answer to ${name}`);
    return { ...root, children };
  },
  codeOf: (root) => codeBelow(root.name === 'Response' ? child(root, 'Errors') : undefined),
});

export const otherQueryWire = queryWire({
  nameInForm: (name, { locationName }) => locationName ?? name,
  listInfix: 'member',
  item: 'member',
  outputOf: ({ name, output }, root) => {
    const result = child(root, `${name}Result`);
    if (root.name !== `${name}Response` || child(root, 'ResponseMetadata') === undefined || (output && !result))
      throw new Error(`<${root.name}> is no answer to ${name}`);
    return result ?? { name, text: '', children: [] };
  },
  codeOf: (root) => codeBelow(root.name === 'ErrorResponse' ? root : undefined),
});

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

function fromForm(model: ServiceModel, dialect: Dialect, shapeName: string, form: string | Form): unknown {
  const shape = shapeNamed(model, shapeName);
  // How SDKs send one that is there and empty.
  if (form === '' && shape.type === 'map') return {};
  if (typeof form === 'string') return scalarOf(shape, form);
  if (shape.type === 'list' && shape.member !== undefined) {
    const item = shape.member.shape;
    const items = dialect.listInfix === undefined ? form : form[dialect.listInfix];
    if (typeof items !== 'object') return form;
    return Object.values(items).map((value) => fromForm(model, dialect, item, value));
  }
  const members = new Map(
    Object.entries(shape.members ?? {}).map(([name, member]) => [dialect.nameInForm(name, member), { name, member }]),
  );
  return Object.fromEntries(
    Object.entries(form).map(([name, value]) => {
      const found = members.get(name);
      return found ? [found.name, fromForm(model, dialect, found.member.shape, value)] : [unknownName(name), value];
    }),
  );
}

function fromXml(model: ServiceModel, dialect: Dialect, shapeName: string, element: XmlElement): unknown {
  const shape = shapeNamed(model, shapeName);
  if (shape.type === 'list' && shape.member !== undefined) {
    const { shape: item, locationName = dialect.item } = shape.member;
    const stranger = element.children.find(({ name }) => name !== locationName);
    if (stranger) throw new Error(`<${stranger.name}> in <${element.name}>, where <${locationName}> is expected`);
    return element.children.map((child) => fromXml(model, dialect, item, child));
  }
  if (shape.type === 'map' && shape.value !== undefined) {
    const value = shape.value.shape;
    return Object.fromEntries(
      element.children.map((entry) => {
        const [key, item] = [child(entry, 'key'), child(entry, 'value')];
        if (entry.name !== 'entry' || !key || !item) throw new Error(`<${entry.name}> is no entry of a map`);
        return [key.text, fromXml(model, dialect, value, item)];
      }),
    );
  }
  if (shape.type !== 'structure') return scalarOf(shape, element.text);
  const members = new Map(
    Object.entries(shape.members ?? {}).map(([name, member]) => [member.locationName ?? name, { name, member }]),
  );
  return Object.fromEntries(
    element.children.map((child) => {
      const found = members.get(child.name);
      return found
        ? [found.name, fromXml(model, dialect, found.member.shape, child)]
        : [unknownName(child.name), child.text];
    }),
  );
}

function child(element: XmlElement | undefined, name: string): XmlElement | undefined {
  return element?.children.find((candidate) => candidate.name === name);
}

/** @throws Error where there is no whole error. */
function codeBelow(element: XmlElement | undefined): string {
  const error = child(element, 'Error');
  const code = child(error, 'Code')?.text;
  if (code === undefined || child(error, 'Message') === undefined)
    throw new Error('the answer is no error of the service');
  return code;
}
