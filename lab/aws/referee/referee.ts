import { AwsError } from '../protocol/aws-error.ts';
import type { HttpAnswer, WireRequest } from '../protocol/http.ts';
import { type Violation, violationsOf } from './judge.ts';
import { type OperationModel, type ServiceModel, shapeNamed } from './model.ts';
import type { DecodedError, WireProtocol } from './wire.ts';
import { jsonWire } from './wire-json.ts';
import { ec2Wire, otherQueryWire } from './wire-query.ts';
import { restWire } from './wire-rest.ts';
import { restXmlWire } from './wire-rest-xml.ts';

/** Every operation may end in these, as each service's page of common errors says; no model declares them. */
const COMMON_ERRORS: readonly string[] = [
  'AccessDenied',
  'AccessDeniedException',
  'ExpiredTokenException',
  'IncompleteSignatureException',
  'InternalFailure',
  'InvalidSignatureException',
  'MissingAuthenticationTokenException',
  'RequestEntityTooLargeException',
  'SerializationException',
  'ServiceUnavailable',
  'ThrottlingException',
  'UnknownOperationException',
  'UnrecognizedClientException',
  'ValidationError',
  'ValidationException',
];

/** Where the documentation of an operation shows answers that its own model forbids: members of an answer, by path. */
const DOCUMENTED_OTHERWISE: Record<string, readonly string[]> = {
  // An empty map when everything was read.
  'dynamodb.BatchGetItem': ['UnprocessedKeys'],
  // With fractions of a second; an empty text for a command that has not begun.
  'ssm.GetCommandInvocation': ['ExecutionStartDateTime', 'ExecutionEndDateTime'],
};

/**
 * Holds the lab to AWS's own description of its services: what the product sends and what a stand-in answers, as bytes,
 * whatever the stand-in made of them.
 */
export class Referee {
  readonly #models: ReadonlyMap<string, ServiceModel>;
  readonly #onViolation: (violation: string) => void;

  /**
   * @param models signing name → model; a service without one is none of AWS's.
   * @param onViolation told `<service>.<operation> <request or answer>: <path> <rule>`: a run that has any has failed.
   */
  constructor(models: ReadonlyMap<string, ServiceModel>, onViolation: (violation: string) => void) {
    this.#models = models;
    this.#onViolation = onViolation;
  }

  /** @throws AwsError ValidationException, as the service would answer. */
  judgeRequest(service: string, request: WireRequest): void {
    const found = this.#operation(service, request);
    // The front answers an unknown operation itself.
    if (found === undefined) return;
    const { model, wire, operation } = found;
    const decoded = wire.input(model, operation, request);
    const violations =
      'unreadable' in decoded
        ? [{ path: '(the whole)', rule: decoded.unreadable }]
        : operation.input === undefined
          ? []
          : violationsOf(model, operation.input.shape, decoded.value);
    this.#record(service, operation, 'request', violations);
    if (violations.length > 0) throw new AwsError('ValidationException', sentence(violations));
  }

  /** @throws Error for an answer that the service would never give: the lab is wrong. */
  judgeAnswer(service: string, request: WireRequest, answer: HttpAnswer): void {
    const found = this.#operation(service, request);
    if (found === undefined) return;
    const { model, wire, operation } = found;
    const judged = answer.status < 300 ? success(found, answer) : failure(model, wire, operation, answer);
    const excused = DOCUMENTED_OTHERWISE[`${service}.${operation.name}`] ?? [];
    const violations = judged.filter(({ path }) => !excused.includes(path));
    this.#record(service, operation, 'answer', violations);
    if (violations.length > 0) throw new Error(`${service}.${operation.name}: ${sentence(violations)}`);
  }

  #operation(service: string, request: WireRequest): Found | undefined {
    const model = this.#models.get(service);
    if (model === undefined) return undefined;
    const wire = wireOf(model);
    const operation = wire.operationOf(model, request);
    return operation === undefined ? undefined : { model, wire, operation };
  }

  #record(service: string, { name }: OperationModel, what: string, violations: readonly Violation[]): void {
    for (const { path, rule } of violations) {
      const violation = `${service}.${name} ${what}: ${path} ${rule}`;
      this.#onViolation(violation);
    }
  }
}

interface Found {
  model: ServiceModel;
  wire: WireProtocol;
  operation: OperationModel;
}

/** CloudWatch speaks several; the SDK that the product carries takes JSON. */
function wireOf({ metadata }: ServiceModel): WireProtocol {
  const spoken = metadata.protocols ?? [metadata.protocol];
  if (spoken.includes('json')) return jsonWire;
  if (spoken.includes('rest-json')) return restWire;
  if (spoken.includes('rest-xml')) return restXmlWire;
  if (spoken.includes('ec2')) return ec2Wire;
  if (spoken.includes('query')) return otherQueryWire;
  throw new Error(`the referee does not know the protocols ${spoken.join(', ')}`);
}

function success({ model, wire, operation }: Found, answer: HttpAnswer): Violation[] {
  const shape = operation.output?.shape;
  const output = shape === undefined ? undefined : shapeNamed(model, shape);
  const statusIsAnswer = Object.values(output?.members ?? {}).some(({ location }) => location === 'statusCode');
  const expected = operation.http.responseCode ?? 200;
  if (!statusIsAnswer && answer.status !== expected) return [{ path: '(status)', rule: `must be ${expected}` }];
  const decoded = wire.output(model, operation, answer);
  if ('unreadable' in decoded) return [{ path: '(the whole)', rule: decoded.unreadable }];
  return shape === undefined ? [] : violationsOf(model, shape, decoded.value);
}

function failure(model: ServiceModel, wire: WireProtocol, operation: OperationModel, answer: HttpAnswer): Violation[] {
  const error = wire.error(answer);
  if ('unreadable' in error) return [{ path: '(the whole)', rule: error.unreadable }];
  // EC2's model declares no errors.
  if (operation.errors === undefined || operation.errors.length === 0) return [];
  const declared = operation.errors.find(({ shape }) => (model.shapes[shape]?.error?.code ?? shape) === error.code);
  if (declared === undefined) {
    return COMMON_ERRORS.includes(error.code) ? [] : [{ path: error.code, rule: 'is no error of this operation' }];
  }
  return errorViolations(model, declared.shape, error);
}

function errorViolations(model: ServiceModel, shapeName: string, { status, fields }: DecodedError): Violation[] {
  const shape = shapeNamed(model, shapeName);
  const expected = shape.error?.httpStatusCode;
  const unknown = Object.keys(fields).filter((name) => shape.members?.[name] === undefined);
  return [
    ...(expected !== undefined && expected !== status ? [{ path: shapeName, rule: `has the status ${expected}` }] : []),
    ...unknown.map((name) => ({ path: `${shapeName}.${name}`, rule: 'is no member' })),
  ];
}

function sentence(violations: readonly Violation[]): string {
  return violations.map(({ path, rule }) => `${path} ${rule}`).join('; ');
}
