import { ALLOWED } from './contract.ts';
import type { RequestedFault } from './experiment.ts';
import { collide } from './faults/catalogue.ts';
import type { FieldError } from './problem.ts';

/** Where one fault of a list stands in time, as the payload says it. */
export interface OrderedFault {
  name?: string | undefined;
  after?: string | undefined;
  offsetSeconds: number;
}

export interface Order {
  names: string[];
  /** Seconds after the first faults, by position. */
  startSeconds: number[];
  errors: FieldError[];
}

/** Adds the offsets up along `after`. Anything that has no certain time is an error: it is never guessed. */
export function orderOf(faults: readonly OrderedFault[], durationSeconds: number): Order {
  const names = faults.map(({ name }, position) => name ?? String(position + 1));
  const errors: FieldError[] = [];
  const startSeconds: number[] = [];
  for (const [position, { after, offsetSeconds }] of faults.entries()) {
    const at = (field: string, message: string) =>
      errors.push({ field: `faults.${position}.${field}`, message, allowed: ALLOWED[field] ?? '' });
    if (names.indexOf(names[position] ?? '') < position) at('name', `is also the name of an earlier fault`);
    // Later faults, and the fault itself, have no start yet.
    const start = after === undefined ? 0 : startSeconds[names.indexOf(after)];
    if (start === undefined) at('after', 'names no earlier fault');
    const startsAt = (start ?? 0) + offsetSeconds;
    if (startsAt >= durationSeconds) at('offsetSeconds', `starts the fault at second ${startsAt}, at or after the end`);
    startSeconds.push(startsAt);
  }
  if (faults.length > 0 && !startSeconds.includes(0)) {
    const message = 'leaves no fault that starts at once: the others are counted from the first ones';
    errors.push({ field: 'faults.0.offsetSeconds', message, allowed: '0 for at least one fault without after' });
  }
  return { names, startSeconds, errors };
}

/**
 * No two faults of one node may work on the same thing, and none on an instance that another one takes away. Of a fault
 * whose nodes are not known yet nothing is said.
 */
export function conflicts(faults: readonly RequestedFault[]): FieldError[] {
  return faults.flatMap((fault, position) => {
    const earlier = faults
      .slice(0, position)
      .find((other) => commonNode(fault, other) && collide(fault.kind, other.kind));
    if (!earlier) return [];
    const message = `both ${earlier.kind} (${earlier.name}) and ${fault.kind} on node ${commonNode(fault, earlier)}`;
    const allowed = 'nodes without another fault of this experiment that shares a resource with it';
    return [{ field: `faults.${position}.parameters`, message, allowed }];
  });
}

function commonNode(one: RequestedFault, other: RequestedFault): string | undefined {
  return one.cluster === other.cluster
    ? one.impactedNodes?.find((node) => other.impactedNodes?.includes(node))
    : undefined;
}
