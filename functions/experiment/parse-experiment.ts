import type { z } from 'zod';
import { ALLOWED, MAX_BODY_BYTES, parameterSchemas, requestSchema } from './contract.ts';
import type { Experiment, FaultParameters } from './experiment.ts';
import { FAULT_KINDS, type FaultKind } from './faults.ts';
import { type FieldError, type Problem, problem } from './problem.ts';

export type Parsed = { ok: true; experiment: Experiment } | { ok: false; problem: Problem };

/** The longest run a cluster may have, seconds, by cluster; what is not in it is admission's to refuse. */
export type DurationLimits = Readonly<Record<string, { maxDurationSeconds: number }>>;

/**
 * Turns a request body into an experiment, or says in one answer everything that is wrong with it: each field and what
 * it may hold. Nothing unknown is ignored: a misspelt safety field must not be dropped silently.
 */
export function parseExperiment(body: string, limits: DurationLimits): Parsed {
  if (Buffer.byteLength(body) > MAX_BODY_BYTES) {
    return refused(problem('body-too-large', `the body has ${Buffer.byteLength(body)} bytes`));
  }
  const json = parseJson(body);
  if (!json.ok) return invalid([{ field: '(body)', message: json.message, allowed: 'one JSON object' }]);

  const request = requestSchema.safeParse(json.value);
  const action = actionOf(json.value);
  const parameters = action && parameterSchemas[action].safeParse(parametersOf(json.value));
  const errors = [
    ...fieldErrors(request.error, [], Object.keys(requestSchema.shape)),
    // A missing `parameters` is already named above.
    ...(parameters && parametersOf(json.value) !== undefined
      ? fieldErrors(parameters.error, ['parameters'], Object.keys(parameterSchemas[action].shape))
      : []),
    ...durationError(json.value, limits),
  ];
  if (errors.length > 0 || !request.success || !parameters?.success || !action) return invalid(errors);

  const { experimentId, targetService, durationSeconds, safetyThreshold } = request.data;
  const fault = faultOf(action, parameters.data);
  return {
    ok: true,
    experiment: {
      experimentId,
      faults: [{ faultId: `${experimentId}.1`, kind: action, cluster: targetService, ...fault }],
      durationSeconds,
      safetyThreshold,
    },
  };
}

/** A partition is installed on the smaller group, B when both are equal: those nodes are the impacted ones. */
export function smallerGroup(groupA: string[], groupB: string[]): string[] {
  return groupA.length < groupB.length ? groupA : groupB;
}

type ParametersOf<K extends FaultKind> = z.output<(typeof parameterSchemas)[K]>;

function faultOf(
  action: FaultKind,
  data: ParametersOf<FaultKind>,
): { impactedNodes: string[]; parameters: FaultParameters } {
  switch (action) {
    case 'NETWORK_PARTITION': {
      const { packetLossPct, scope, targetPartitionGroupA, targetPartitionGroupB } = data as ParametersOf<
        typeof action
      >;
      return {
        impactedNodes: smallerGroup(targetPartitionGroupA, targetPartitionGroupB),
        parameters: {
          kind: action,
          scope,
          packetLossPct,
          groupA: targetPartitionGroupA,
          groupB: targetPartitionGroupB,
        },
      };
    }
    case 'PROCESS_KILL': {
      const { targetNodes, signal, restart } = data as ParametersOf<typeof action>;
      return { impactedNodes: targetNodes, parameters: { kind: action, signal, restart } };
    }
    case 'PROCESS_PAUSE': {
      const { targetNodes } = data as ParametersOf<typeof action>;
      return { impactedNodes: targetNodes, parameters: { kind: action } };
    }
  }
}

function parseJson(body: string): { ok: true; value: unknown } | { ok: false; message: string } {
  try {
    const value: unknown = JSON.parse(body, (key, inner: unknown) => {
      // Validators skip this one key, so it would be the only unknown field that is let through.
      if (key === '__proto__') throw new Error('has a field "__proto__"');
      return inner;
    });
    return isRecord(value) ? { ok: true, value } : { ok: false, message: 'is not an object' };
  } catch (error) {
    return { ok: false, message: error instanceof SyntaxError ? `is not JSON: ${error.message}` : String(error) };
  }
}

function fieldErrors(error: z.ZodError | undefined, prefix: string[], known: string[]): FieldError[] {
  return (error?.issues ?? []).flatMap((issue) => {
    const path = [...prefix, ...issue.path.map(String)];
    if (issue.code === 'unrecognized_keys') {
      const fields = path.length === prefix.length ? known : fieldsBelow(path.join('.'));
      return issue.keys.map((key) => ({
        field: [...path, key].join('.'),
        message: 'is not a known field',
        allowed: `one of ${fields.join(', ')}`,
      }));
    }
    const field = path.join('.');
    return [{ field, message: issue.message, allowed: allowedFor(path) }];
  });
}

function fieldsBelow(path: string): string[] {
  return Object.keys(ALLOWED).flatMap((field) => (field.startsWith(`${path}.`) ? [field.slice(path.length + 1)] : []));
}

function allowedFor(path: string[]): string {
  return ALLOWED[path.filter((part) => !/^\d+$/.test(part)).join('.')] ?? 'see the documentation';
}

function durationError(value: unknown, limits: DurationLimits): FieldError[] {
  if (!isRecord(value) || typeof value.targetService !== 'string' || typeof value.durationSeconds !== 'number')
    return [];
  if (!Object.hasOwn(limits, value.targetService)) return [];
  const maximum = limits[value.targetService]?.maxDurationSeconds;
  if (maximum === undefined || value.durationSeconds <= maximum) return [];
  return [
    {
      field: 'durationSeconds',
      message: `is longer than cluster ${value.targetService} allows`,
      allowed: `a whole number from 1 to ${maximum}`,
    },
  ];
}

function actionOf(value: unknown): FaultKind | undefined {
  return isRecord(value) ? FAULT_KINDS.find((kind) => kind === value.action) : undefined;
}

function parametersOf(value: unknown): unknown {
  return isRecord(value) ? value.parameters : undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function refused(problemDocument: Problem): Parsed {
  return { ok: false, problem: problemDocument };
}

function invalid(errors: FieldError[]): Parsed {
  const fields = errors.map(({ field }) => field).join(', ');
  return refused(problem('invalid-request', `not valid: ${fields}`, { errors }));
}
