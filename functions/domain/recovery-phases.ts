import type { RECOVERY_PHASES } from './workflow.ts';

/** What a store itself says of a failover, in its order. `SUSPECTED` by one who cannot decide it alone. */
export interface FailoverNews {
  what: 'SUSPECTED' | 'DETECTED' | 'ELECTED';
  /** Who says it, and what, in the engine's words. */
  text: string;
  /** It may have been said so much earlier. */
  uncertaintyMs: number;
}

/** What happened to one shard, by one clock. Milliseconds. */
export interface RecoverySeen {
  faultAtMs: number;
  /** As it was heard, in the order of time. */
  news: readonly (FailoverNews & { atMs: number })[];
  /** The end of the worst outage, and the start of the last operation before that failed. */
  clients?: { recoveredAtMs: number; lastFailureAtMs: number };
  /** How many copies of the data the store said that it has beside the first one, in the order of time. */
  copies: readonly { atMs: number; count: number | undefined }[];
}

/** A phase as it was seen: `uncertaintyMs` may have passed since it came. */
export interface SeenPhase {
  phase: (typeof RECOVERY_PHASES)[number];
  atMs: number;
  event: string;
  uncertaintyMs: number;
}

/** How a shard came back, in the order of time. What was not seen is absent: nothing here is concluded from something else. */
export function recoveryPhases({ faultAtMs, news, clients, copies }: RecoverySeen): SeenPhase[] {
  const since = news.filter(({ atMs }) => atMs >= faultAtMs);
  const first = (what: FailoverNews['what']) => since.find((each) => each.what === what);
  const phases: SeenPhase[] = [];
  const detected = first('DETECTED');
  if (detected) {
    const suspected = first('SUSPECTED');
    const earlierMs = suspected ? detected.atMs - suspected.atMs : -1;
    const doubt = suspected && earlierMs >= 0 ? `; ${earlierMs.toFixed(0)} ms before: ${suspected.text}` : '';
    phases.push(told('DETECTED', { ...detected, text: `${detected.text}${doubt}` }, faultAtMs));
  }
  const elected = first('ELECTED');
  if (elected) phases.push(told('ELECTED', elected, faultAtMs));
  if (clients) {
    const { recoveredAtMs, lastFailureAtMs } = clients;
    const event = 'the first operation of the probe after its longest outage that no failure followed';
    const uncertaintyMs = recoveredAtMs - Math.max(lastFailureAtMs, faultAtMs);
    phases.push({ phase: 'CLIENTS_RECOVERED', atMs: recoveredAtMs, event, uncertaintyMs });
  }
  const replicated = fullyReplicated(copies, faultAtMs);
  if (replicated) phases.push(replicated);
  return phases.sort((one, other) => one.atMs - other.atMs);
}

function told(
  phase: SeenPhase['phase'],
  { atMs, text, uncertaintyMs }: RecoverySeen['news'][number],
  faultAtMs: number,
): SeenPhase {
  // It was not before the fault.
  return { phase, atMs, event: text, uncertaintyMs: Math.min(uncertaintyMs, atMs - faultAtMs) };
}

/**
 * From when on the store always said that it has as many copies as last before the fault. Absent when they were never
 * fewer, when they were still fewer at the end, and when nobody knows how many they were.
 */
function fullyReplicated(copies: RecoverySeen['copies'], faultAtMs: number): SeenPhase | undefined {
  const known = copies.findLast(({ atMs, count }) => atMs < faultAtMs && count !== undefined)?.count;
  if (known === undefined) return undefined;
  const since = copies.filter(({ atMs }) => atMs >= faultAtMs);
  const isFull = ({ count = Number.NaN }: RecoverySeen['copies'][number]) => count >= known;
  const from = since.findLastIndex((each) => !isFull(each)) + 1;
  const back = since[from];
  const fewer = since.findLast(({ count }) => count !== undefined && count < known);
  if (!back || !fewer) return undefined;
  const event = `the store says again that it has ${known} copies beside the first, as before the fault`;
  return { phase: 'FULLY_REPLICATED', atMs: back.atMs, event, uncertaintyMs: back.atMs - fewer.atMs };
}
