import type { Answer, Encoded, Program, Run } from './program.ts';
import { GRANT, type Plan, runOf } from './watch-plans.ts';

/** What is known of one process of a pair by what it was told and what it did, and never by its own state. */
export interface Known {
  /** The last answer of the lease table: both rows HOLD, our grant, a beat. */
  isWhole: boolean;
  /** The highest beat of such answers, how often it grew, and when the last poll that saw it grow was sent. */
  highestBeat: number | undefined;
  advances: number;
  advancedAt: number | undefined;
  released: 'KILL_SWITCH' | 'LEASE_RELEASED' | undefined;
  /** When the peer gave its last sign of life; before its first one it is waited for. */
  heardAt: number;
  tickedAt: number;
  /** The last tick that came so late that we have stood still. */
  lateTickAt: number | undefined;
  saidAt: number | undefined;
  /** When the fault ends at the latest, once it is applied; the supervisor has it from the runner. */
  endsAt: number | undefined;
  /** The last advance that the runner has told of. */
  toldAdvanceAt: number | undefined;
  isChecking: boolean;
  changedAt: number | undefined;
  isConfirmed: boolean;
  seenTotal: number;
  /** Looks, one after the other, that saw nothing of a confirmed fault. */
  blindLooks: number;
  isLeft: boolean;
}

/** One event and what was decided. */
export interface Moment {
  event: Encoded;
  at: number;
  effects: Encoded[];
  before: Known;
  /** `before`, and the event itself. */
  now: Known;
}

export interface History {
  plan: Plan;
  moments: Moment[];
}

/** Lateness that no sentence speaks of: clocks are numbers with fractions. */
export const HAIR = 1e-6;
export const LATE_SECONDS = 0.5;
const BIRTH_SECONDS = 8;

export const effectOf = (moment: Moment, type: string): Encoded | undefined =>
  moment.effects.find((effect) => effect.type === type);

export async function historyOf(program: Program, plan: Plan): Promise<History> {
  const run = runOf(plan);
  return history(plan, run, await program.decideOne(run));
}

export async function historiesOf(program: Program, all: readonly Plan[]): Promise<History[]> {
  const runs = all.map(runOf);
  const answers = await program.decide(runs);
  return all.map((plan, index) => history(plan, runs[index] as Run, answers[index] ?? []));
}

function history(plan: Plan, { steps }: Run, answers: readonly (Answer | null)[]): History {
  const moments: Moment[] = [];
  let known = atBirth(plan);
  for (const [index, { event, at }] of steps.entries()) {
    const answer = answers[index];
    if (!answer) continue;
    const now = known.isLeft ? known : { ...known, ...told(known, event, at, plan) };
    moments.push({ event, at, effects: answer.effects, before: known, now });
    known = { ...now, ...done(now, event, at, answer.effects) };
  }
  return { plan, moments };
}

function atBirth({ isRunner, startsAt }: Plan): Known {
  return {
    isWhole: false,
    highestBeat: undefined,
    advances: 0,
    advancedAt: undefined,
    released: undefined,
    heardAt: isRunner ? startsAt : startsAt + BIRTH_SECONDS,
    tickedAt: startsAt,
    lateTickAt: undefined,
    saidAt: undefined,
    endsAt: undefined,
    toldAdvanceAt: undefined,
    isChecking: false,
    changedAt: undefined,
    isConfirmed: false,
    seenTotal: 0,
    blindLooks: 0,
    isLeft: false,
  };
}

function told(known: Known, event: Encoded, at: number, plan: Plan): Partial<Known> {
  if (event.type === 'Tick') return { tickedAt: at, ...(at - known.tickedAt > LATE_SECONDS && { lateTickAt: at }) };
  if (event.type === 'Heard') return { heardAt: at, ...(plan.isRunner ? {} : word(known, event)) };
  if (event.type === 'LeaseRead') return readOf(known, event);
  return event.type === 'EffectSeen' ? lookOf(known, event) : {};
}

function word(known: Known, { advanced_at, ends_at }: Encoded): Partial<Known> {
  if (ends_at === null) return {};
  const toldAdvanceAt = Math.max(known.toldAdvanceAt ?? 0, advanced_at as number);
  return { endsAt: ends_at as number, toldAdvanceAt };
}

interface Row {
  state: string | null;
  beat: number | null;
  grants: { items: string[] };
}

function readOf(known: Known, event: Encoded): Partial<Known> {
  const [own, everyone] = [event.own as Row | null, event.everyone as Row | null];
  const isKilled = everyone?.state === 'RELEASED';
  const isReleased = own?.state === 'RELEASED';
  const released = isKilled ? 'KILL_SWITCH' : (known.released ?? (isReleased ? 'LEASE_RELEASED' : undefined));
  const isWhole =
    own?.state === 'HOLD' && everyone?.state === 'HOLD' && own.beat !== null && own.grants.items.includes(GRANT);
  if (!isWhole) return { released, isWhole };
  const beat = own.beat ?? 0;
  const highestBeat = Math.max(beat, known.highestBeat ?? beat);
  if (known.highestBeat === undefined || beat <= known.highestBeat) return { released, isWhole, highestBeat };
  return { released, isWhole, highestBeat, advances: known.advances + 1, advancedAt: event.sent_at as number };
}

export function isSeen(known: Known, { value, counting }: Encoded): boolean {
  if (value === null) return false;
  const isTotal = (counting as { value: string }).value === 'TOTAL';
  return (value as number) > (isTotal ? known.seenTotal : 0);
}

function lookOf(known: Known, event: Encoded): Partial<Known> {
  if (isSeen(known, event)) return { seenTotal: event.value as number, blindLooks: 0 };
  return known.isConfirmed ? { blindLooks: known.blindLooks + 1 } : {};
}

/** What follows from its own deeds. */
function done(now: Known, event: Encoded, at: number, effects: readonly Encoded[]): Partial<Known> {
  const changes: Partial<Known> = {};
  if (event.type === 'Changed' && now.endsAt !== undefined && now.changedAt === undefined) changes.changedAt = at;
  for (const effect of effects) {
    if (effect.type === 'Check') changes.isChecking = true;
    if (effect.type === 'Apply') changes.endsAt = effect.ends_at as number;
    if (effect.type === 'Confirm') changes.isConfirmed = true;
    if (effect.type === 'Say') changes.saidAt = at;
    if (effect.type === 'Revert' || effect.type === 'Refuse') changes.isLeft = true;
  }
  return changes;
}

/** How long no advance was sent, at this moment, by all that this process can know. */
export function lostSeconds({ now, at }: Moment, { isRunner }: Plan): number {
  return at - ((isRunner ? now.advancedAt : now.toldAdvanceAt) ?? Number.NEGATIVE_INFINITY);
}
