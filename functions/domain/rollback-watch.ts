import { isBeyondLimit } from './guardrails.ts';
import { firstLines, MAX_LINE_CHARACTERS, MAX_LINES } from './limits.ts';
import type { NodeRollback, Reading } from './workflow.ts';

/** What the guardrails showed from the guard's last evaluation until the store was healthy, second by second. */
export interface RollbackWatch {
  /** ISO 8601. */
  from: string;
  until: string;
  /** The worst reading of each guardrail that was beyond its limit, and when it was so for the first and the last time. */
  breaches: LateBreach[];
  /** One line for each guardrail that could not be seen at some time. */
  unseen: string[];
}

export interface LateBreach extends Reading {
  firstAt: string;
  lastAt: string;
}

/** All guardrails at one moment. */
export interface Evaluation {
  atMs: number;
  readings: Reading[];
}

/** @param evaluations in the order of their time; none at all is nothing seen. */
export function rollbackWatch(evaluations: readonly Evaluation[], fromMs: number, untilMs: number): RollbackWatch {
  const byGuardrail = new Map<string, { atMs: number; reading: Reading }[]>();
  for (const { atMs, readings } of evaluations) {
    for (const reading of readings) {
      const name = `${reading.cluster} ${reading.guardrail}`;
      byGuardrail.set(name, [...(byGuardrail.get(name) ?? []), { atMs, reading }]);
    }
  }
  const unseen = [...byGuardrail].flatMap(([name, seen]) => {
    const lost = seen.filter(({ reading }) => reading.breached && !isBeyondLimit(reading));
    const [first, last] = [lost[0], lost.at(-1)];
    if (!first || !last) return [];
    return [
      `${name}: ${lost.length} of ${seen.length} s, from ${iso(first.atMs)} to ${iso(last.atMs)}: ${first.reading.reason}`,
    ];
  });
  return {
    from: iso(fromMs),
    until: iso(untilMs),
    breaches: [...byGuardrail.values()].flatMap((seen) => {
      const beyond = seen.filter(({ reading }) => isBeyondLimit(reading));
      const [first, last] = [beyond[0], beyond.at(-1)];
      if (!first || !last) return [];
      const worst = beyond.map(({ reading }) => reading).reduce(worse);
      return [{ ...worst, firstAt: iso(first.atMs), lastAt: iso(last.atMs) }];
    }),
    unseen: firstLines(byGuardrail.size === 0 ? ['no guardrail was read'] : unseen, MAX_LINES, MAX_LINE_CHARACTERS),
  };
}

function worse(one: Reading, other: Reading): Reading {
  const [value = 0, otherValue = 0] = [one.value, other.value];
  const isWorse = one.breachWhen === 'above' ? otherValue > value : otherValue < value;
  return isWorse ? other : one;
}

function iso(epochMs: number): string {
  return new Date(epochMs).toISOString();
}

/**
 * Whether a breach began while our fence kept clients away from a node, or at the scrape after: then it is our doing and
 * says nothing about the system.
 */
export function beganBehindFence(
  { firstAt, maxAgeSeconds }: LateBreach,
  fences: readonly NodeRollback['fence'][],
): boolean {
  const beganMs = Date.parse(firstAt);
  return fences.some((fence) => {
    const [raisedMs, loweredMs] = [Date.parse(fence?.raisedAt ?? ''), Date.parse(fence?.loweredAt ?? '')];
    return beganMs >= raisedMs && beganMs <= loweredMs + maxAgeSeconds * 1000;
  });
}
