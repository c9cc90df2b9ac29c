import { ALLOWED, faultListSchema, MAX_BODY_BYTES, oneFaultSchema } from './contract.ts';
import type { Experiment, Fault } from './experiment.ts';
import { conflicts, orderOf } from './fault-order.ts';
import { FAULT_KINDS, type FaultKind, type FaultParameters, impactedNodesOf, kindOf } from './faults/catalogue.ts';
import { type Allowed, fieldErrors } from './field-errors.ts';
import { type FieldError, type Problem, problem } from './problem.ts';
import { isRecord, readStrictJson } from './strict-json.ts';

export type Parsed = { ok: true; experiment: Experiment } | { ok: false; problem: Problem };

/** The longest run a cluster may have, seconds, by cluster; what is not in it is admission's to refuse. */
export type DurationLimits = Readonly<Record<string, { maxDurationSeconds: number }>>;

type Body = Record<string, unknown>;

/**
 * Turns a request body into an experiment, or says in one answer everything that is wrong with it: each field and what
 * it may hold. Nothing unknown is ignored: a misspelt safety field must not be dropped silently.
 */
export function parseExperiment(body: string, limits: DurationLimits): Parsed {
  if (Buffer.byteLength(body) > MAX_BODY_BYTES) {
    return refused(problem('body-too-large', `the body has ${Buffer.byteLength(body)} bytes`));
  }
  const json = readStrictJson(body);
  if (!json.ok) return invalid(json.errors);
  return json.value.faults === undefined ? parseOne(json.value, limits) : parseList(json.value, limits);
}

/** The seed's form. */
function parseOne(body: Body, limits: DurationLimits): Parsed {
  const request = oneFaultSchema.safeParse(body);
  const parameters = parseParameters(body, []);
  const errors = [
    ...fieldErrors(request.error, [], fieldsOf([...Object.keys(oneFaultSchema.shape), 'faults'])),
    ...parameters.errors,
    ...durationError(body, [body], limits),
  ];
  if (errors.length > 0 || !request.success || !parameters.value) return invalid(errors);
  const { targetService, ...common } = request.data;
  const fault = toFault(common.experimentId, 0, '1', targetService, 0, parameters.value);
  return accepted(common, [fault]);
}

function parseList(body: Body, limits: DurationLimits): Parsed {
  const { targetService, action, parameters, ...rest } = body;
  const request = faultListSchema.safeParse(rest);
  const items = Array.isArray(body.faults) ? body.faults.map((item: unknown) => (isRecord(item) ? item : {})) : [];
  const parsed = items.map((item, position) => parseParameters(item, ['faults', String(position)]));
  const errors = [
    ...bothForms({ targetService, action, parameters }),
    ...fieldErrors(request.error, [], fieldsOf(Object.keys(faultListSchema.shape))),
    ...parsed.flatMap((item) => item.errors),
    ...durationError(body, items, limits),
  ];
  if (!request.success) return invalid(errors);
  const { faults, ...common } = request.data;
  const order = orderOf(faults, common.durationSeconds);
  const values = parsed.flatMap(({ value }) => value ?? []);
  const made = faults.flatMap((fault, position) => {
    const [value, name, start] = [parsed[position]?.value, order.names[position], order.startSeconds[position]];
    if (!value || name === undefined || start === undefined) return [];
    return [toFault(common.experimentId, position, name, fault.targetService, start, value)];
  });
  errors.push(...order.errors, ...(values.length === faults.length ? conflicts(made) : []));
  return errors.length > 0 ? invalid(errors) : accepted(common, made);
}

/** By the schema of the action; without a known action or an object there is nothing to check, and both are named. */
function parseParameters(item: Body, prefix: readonly string[]): { value?: FaultParameters; errors: FieldError[] } {
  const kind = FAULT_KINDS.find((candidate) => candidate === item.action);
  if (!kind || !isRecord(item.parameters)) return { errors: [] };
  const { schema, allowed } = kindOf(kind);
  const parsed = schema.safeParse(item.parameters);
  if (!parsed.success) {
    const fields = { words: allowed, known: Object.keys(allowed) };
    return { errors: fieldErrors(parsed.error, [...prefix, 'parameters'], fields) };
  }
  return { value: withKind(kind, parsed.data), errors: [] };
}

/** The schema of a kind makes that kind's parameters: the compiler cannot follow the look-up. */
function withKind(kind: FaultKind, data: unknown): FaultParameters {
  return { kind, ...(data as object) } as FaultParameters;
}

function toFault(
  experimentId: string,
  position: number,
  name: string,
  cluster: string,
  startSeconds: number,
  parameters: FaultParameters,
): Fault {
  return {
    faultId: `${experimentId}.${position + 1}`,
    name,
    kind: parameters.kind,
    cluster,
    startSeconds,
    impactedNodes: impactedNodesOf(parameters),
    parameters,
  };
}

function bothForms(single: Body): FieldError[] {
  const given = Object.keys(single).filter((field) => single[field] !== undefined);
  const message = 'stands beside faults, which has it for each fault';
  return given.map((field) => ({ field, message, allowed: `either ${field} or faults, never both` }));
}

function durationError(body: Body, faults: readonly Body[], limits: DurationLimits): FieldError[] {
  const { durationSeconds } = body;
  if (typeof durationSeconds !== 'number') return [];
  const strictest = faults
    .flatMap(({ targetService: cluster }) => {
      if (typeof cluster !== 'string' || !Object.hasOwn(limits, cluster)) return [];
      const maximum = limits[cluster]?.maxDurationSeconds;
      return maximum !== undefined && durationSeconds > maximum ? [{ cluster, maximum }] : [];
    })
    .sort((one, other) => one.maximum - other.maximum)[0];
  if (!strictest) return [];
  return [
    {
      field: 'durationSeconds',
      message: `is longer than cluster ${strictest.cluster} allows`,
      allowed: `a whole number from 1 to ${strictest.maximum}`,
    },
  ];
}

/** The words of a fault's fields are the same in the list: `faults.action` is `action`. */
function fieldsOf(known: readonly string[]): Allowed {
  const words = Object.entries(ALLOWED);
  const inList = Object.keys(faultListSchema.shape.faults.element.shape);
  const listed = words.filter(([field]) => inList.includes(field)).map(([field, text]) => [`faults.${field}`, text]);
  return { words: Object.fromEntries([...words, ...listed]), known };
}

function accepted(common: Omit<Experiment, 'faults'>, faults: Fault[]): Parsed {
  const { experimentId, durationSeconds, safetyThreshold } = common;
  return { ok: true, experiment: { experimentId, faults, durationSeconds, safetyThreshold } };
}

function refused(problemDocument: Problem): Parsed {
  return { ok: false, problem: problemDocument };
}

function invalid(errors: FieldError[]): Parsed {
  const fields = errors.map(({ field }) => field).join(', ');
  return refused(problem('invalid-request', `not valid: ${fields}`, { errors }));
}
