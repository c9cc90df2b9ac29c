import { jsonErrorOf, parseJson, type WireProtocol } from './wire.ts';

/** The operation is in `X-Amz-Target`, its input and output are the bodies. */
export const jsonWire: WireProtocol = {
  operationOf: (model, { headers }) => {
    const [prefix, name = ''] = (headers['x-amz-target'] ?? '').split('.');
    return prefix === model.metadata.targetPrefix ? model.operations[name] : undefined;
  },
  input: (_model, _operation, { body }) => parseJson(body.toString('utf8')),
  output: (_model, operation, { body }) => {
    const parsed = parseJson(body.toString());
    // An operation without an output answers `{}` or nothing.
    return operation.output === undefined && 'value' in parsed ? { value: {} } : parsed;
  },
  error: jsonErrorOf,
};
