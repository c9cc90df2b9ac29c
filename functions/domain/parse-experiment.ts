import { ALLOWED, faultListSchema, oneFaultSchema } from './contract.ts';
import { clustersOf, type Experiment, type RequestedExperiment, type RequestedFault } from './experiment.ts';
import { conflicts, orderOf } from './fault-order.ts';
import {
  FAULT_KINDS,
  type FaultKind,
  type FaultParameters,
  impactedNodesOf,
  kindOf,
  type RequestedParameters,
} from './faults/catalogue.ts';
import { type Allowed, fieldErrors } from './field-errors.ts';
import type { ExpectedAlertsInput, HypothesisInput, SteadyStateInput } from './hypothesis.ts';
import { parseHypothesis } from './parse-hypothesis.ts';
import type { FieldError, Problem } from './problem.ts';
import { invalidRequest, readBody } from './request-body.ts';
import { isRecord } from './strict-json.ts';

export type Parsed = { ok: true; experiment: RequestedExperiment } | { ok: false; problem: Problem };

/** What a cluster allows a request to say, seconds, by cluster; what is not in it is admission's to refuse. */
export type ClusterLimits = Readonly<
  Record<string, { maxDurationSeconds: number; budgets: { unavailableSeconds: number } }>
>;

/** The second where a list of nodes has a role in it. */
type Parameters = { names: FaultParameters } | { requested: RequestedParameters };

type Body = Record<string, unknown>;

/**
 * Turns a request body into an experiment, or says in one answer everything that is wrong with it: each field and what
 * it may hold. Nothing unknown is ignored: a misspelt safety field must not be dropped silently.
 */
export function parseExperiment(body: string, limits: ClusterLimits): Parsed {
  const json = readBody(body);
  if (!json.ok) return json;
  return json.value.faults === undefined ? parseOne(json.value, limits) : parseList(json.value, limits);
}

/** The seed's form. */
function parseOne(body: Body, limits: ClusterLimits): Parsed {
  const request = oneFaultSchema.safeParse(body);
  const parameters = parseParameters(body, []);
  const errors = [
    ...fieldErrors(request.error, [], fieldsOf([...Object.keys(oneFaultSchema.shape), 'faults'])),
    ...parameters.errors,
    ...clusterErrors(body, [body], limits),
  ];
  if (errors.length > 0 || !request.success || !parameters.value) return invalid(errors);
  const { targetService, ...common } = request.data;
  const fault = toFault(common.experimentId, 0, '1', targetService, 0, parameters.value);
  const neverBack = neverComesBack(fault, common.durationSeconds, []);
  return neverBack.length > 0 ? invalid(neverBack) : accepted(common, [fault]);
}

function parseList(body: Body, limits: ClusterLimits): Parsed {
  const { targetService, action, parameters, ...rest } = body;
  const request = faultListSchema.safeParse(rest);
  const items = Array.isArray(body.faults) ? body.faults.map((item: unknown) => (isRecord(item) ? item : {})) : [];
  const parsed = items.map((item, position) => parseParameters(item, ['faults', String(position)]));
  const errors = [
    ...bothForms({ targetService, action, parameters }),
    ...fieldErrors(request.error, [], fieldsOf(Object.keys(faultListSchema.shape))),
    ...parsed.flatMap((item) => item.errors),
    ...clusterErrors(body, items, limits),
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
  const neverBack = made.flatMap((fault, position) =>
    neverComesBack(fault, common.durationSeconds, ['faults', String(position)]),
  );
  errors.push(...order.errors, ...neverBack, ...(values.length === faults.length ? conflicts(made) : []));
  return errors.length > 0 ? invalid(errors) : accepted(common, made);
}

/** By the schema of the action; without a known action or an object there is nothing to check, and both are named. */
function parseParameters(item: Body, prefix: readonly string[]): { value?: Parameters; errors: FieldError[] } {
  const kind = FAULT_KINDS.find((candidate) => candidate === item.action);
  if (!kind || !isRecord(item.parameters)) return { errors: [] };
  const { schema, requestSchema, fields, allowed } = kindOf(kind);
  const requested = requestSchema.safeParse(item.parameters);
  if (!requested.success) {
    const known = { words: allowed, known: Object.keys(fields) };
    return { errors: fieldErrors(requested.error, [...prefix, 'parameters'], known) };
  }
  const parsed = schema.safeParse(item.parameters);
  const value = parsed.success
    ? { names: withKind(kind, parsed.data) }
    : { requested: { kind, ...(requested.data as object) } };
  return { value, errors: [] };
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
  parameters: Parameters,
): RequestedFault {
  const common = { faultId: `${experimentId}.${position + 1}`, name, cluster, startSeconds };
  if ('requested' in parameters) {
    return { ...common, kind: parameters.requested.kind, parameters: parameters.requested };
  }
  const { names } = parameters;
  return { ...common, kind: names.kind, impactedNodes: impactedNodesOf(names), parameters: names };
}

/** A fault that is to come and go, and would go for good. */
function neverComesBack(
  { kind, parameters, startSeconds }: RequestedFault,
  durationSeconds: number,
  prefix: readonly string[],
): FieldError[] {
  const { comesBackAfter } = kindOf(kind);
  const period = comesBackAfter?.seconds(parameters);
  const lasts = durationSeconds - startSeconds;
  if (!comesBackAfter || period === undefined || period < lasts) return [];
  const field = [...prefix, 'parameters', comesBackAfter.field].join('.');
  const message = `comes back after ${period} s, but the fault lasts ${lasts} s`;
  return [{ field, message, allowed: `less than ${lasts} s in all` }];
}

function bothForms(single: Body): FieldError[] {
  const given = Object.keys(single).filter((field) => single[field] !== undefined);
  const message = 'stands beside faults, which has it for each fault';
  return given.map((field) => ({ field, message, allowed: `either ${field} or faults, never both` }));
}

/** A request may ask for less than its clusters allow, never for more. */
export function clusterErrors(body: Body, faults: readonly Body[], limits: ClusterLimits): FieldError[] {
  const { durationSeconds, budgets } = body;
  const unavailableSeconds = isRecord(budgets) ? budgets.unavailableSeconds : undefined;
  const clusters = faults.flatMap(({ targetService: name }) => {
    const own = typeof name === 'string' && Object.hasOwn(limits, name) ? limits[name] : undefined;
    return own ? [{ name: String(name), ...own }] : [];
  });
  const longest = clusters.map(({ name, maxDurationSeconds }) => ({ name, maximum: maxDurationSeconds }));
  const most = clusters.map(({ name, budgets: allowed }) => ({ name, maximum: allowed.unavailableSeconds }));
  return [
    ...beyond('durationSeconds', 'is longer than', durationSeconds, 'a whole number from 1 to', longest),
    ...beyond('budgets.unavailableSeconds', 'is more than', unavailableSeconds, 'a number from 0 to', most),
  ];
}

/** The strictest cluster that a number is too high for. */
function beyond(
  field: string,
  what: string,
  value: unknown,
  allowed: string,
  maxima: readonly { name: string; maximum: number }[],
): FieldError[] {
  if (typeof value !== 'number') return [];
  const [strictest] = maxima.filter(({ maximum }) => value > maximum).sort((one, other) => one.maximum - other.maximum);
  if (!strictest) return [];
  const { name, maximum } = strictest;
  return [{ field, message: `${what} cluster ${name} allows`, allowed: `${allowed} ${maximum}` }];
}

/** The words of a fault's fields are the same in the list: `faults.action` is `action`. */
function fieldsOf(known: readonly string[]): Allowed {
  const words = Object.entries(ALLOWED);
  const inList = Object.keys(faultListSchema.shape.faults.element.shape);
  const listed = words.filter(([field]) => inList.includes(field)).map(([field, text]) => [`faults.${field}`, text]);
  return { words: Object.fromEntries([...words, ...listed]), known };
}

interface Common extends Omit<Experiment, 'faults' | 'hypothesis'> {
  steadyState?: SteadyStateInput;
  hypothesis?: HypothesisInput;
  expectedAlerts?: ExpectedAlertsInput;
}

function accepted(common: Common, faults: RequestedFault[]): Parsed {
  const { experimentId, durationSeconds, safetyThreshold, budgets, probe } = common;
  const lastStartSeconds = Math.max(...faults.map(({ startSeconds }) => startSeconds));
  const hypothesis = parseHypothesis(common, { clusters: clustersOf({ faults }), durationSeconds, lastStartSeconds });
  if (hypothesis.errors.length > 0) return invalid(hypothesis.errors);
  const experiment = {
    ...{ experimentId, faults, durationSeconds, safetyThreshold },
    ...(budgets ? { budgets } : {}),
    ...(hypothesis.value ? { hypothesis: hypothesis.value } : {}),
    ...(probe ? { probe } : {}),
  };
  return { ok: true, experiment };
}

function refused(problemDocument: Problem): Parsed {
  return { ok: false, problem: problemDocument };
}

function invalid(errors: FieldError[]): Parsed {
  return refused(invalidRequest(errors));
}
