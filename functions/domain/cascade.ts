import { describeBreaches, isBeyondLimit } from './guardrails.ts';
import type { KillSwitchSettings } from './kill-switch.ts';
import type { Reading } from './workflow.ts';

type CascadeSettings = NonNullable<KillSwitchSettings['cascade']>;

/** One look at a cluster. */
export interface BystanderLook {
  cluster: string;
  /** Whether an experiment holds it. */
  underExperiment: boolean;
  readings: readonly Reading[];
}

/** What is remembered of a cluster. */
interface Seen {
  /** Why it does not count, for good. */
  countsNot?: string;
  /** Whether a look that was not blind found it well, so that it counts. */
  wasWell?: boolean;
  /** From the first to the last look that found it beyond a limit, none of which found it well. Monotonic milliseconds. */
  broken?: { fromMs: number; toMs: number; breach: string };
}
export type Bystanders = ReadonlyMap<string, Seen>;

/**
 * What is known after another look at all clusters. A cluster counts when the first look that was not blind found it well,
 * every guardrail known and within its limit. A blind look changes nothing: it neither breaks it nor shows it well. One that
 * an experiment touches never counts again: what comes after is that experiment's doing.
 */
export function afterLook(before: Bystanders, looks: readonly BystanderLook[], atMs: number): Bystanders {
  const after = new Map(before);
  for (const look of looks) after.set(look.cluster, afterLookAt(before.get(look.cluster) ?? {}, look, atMs));
  return after;
}

function afterLookAt(known: Seen, { underExperiment, readings }: BystanderLook, atMs: number): Seen {
  if (known.countsNot !== undefined) return known;
  if (underExperiment) return { countsNot: 'an experiment touches it' };
  const beyond = readings.filter(isBeyondLimit);
  if (beyond.length === 0) return isWell(readings) ? { wasWell: true } : known;
  const breach = describeBreaches(beyond);
  if (!known.wasWell) return { countsNot: `it was not well when it was first seen: ${breach}` };
  return { wasWell: true, broken: { fromMs: known.broken?.fromMs ?? atMs, toMs: atMs, breach } };
}

/** Why the kill switch has to be engaged; undefined: it need not. */
export function cascadeOf(seen: Bystanders, { clusters, forSeconds }: CascadeSettings): string | undefined {
  const broken = [...seen].flatMap(([cluster, { broken: found }]) =>
    found && found.toMs - found.fromMs >= forSeconds * 1000 ? [`${cluster} (${found.breach})`] : [],
  );
  if (broken.length < clusters) return undefined;
  return `cascade: guardrails of clusters that no experiment touches broke: ${broken.join('; ')}`;
}

function isWell(readings: readonly Reading[]): boolean {
  return readings.length > 0 && readings.every(({ breached }) => !breached);
}
