import { type AuditEntry, type EntryDetails, type EntryType, isEntryOf, lastOf } from './audit-entry.ts';
import type { Experiment, Fault } from './experiment.ts';
import { bodyOf, subjectOf } from './notice-text.ts';
import { ANNOUNCEMENT_SEVERITY, type NoticeSeverity } from './notifications.ts';
import { principalOf } from './schedules.ts';
import type { CheckVerdict, RollbackResult, Verdict } from './workflow.ts';

/** What one person is told: it must be understood on a phone, half asleep. */
export interface Notice {
  severity: NoticeSeverity;
  subject: string;
  body: string;
}

/** What and where first, then the number, then what to do. */
interface Draft {
  /** Absent: the experiment in whose log it stands, and its faults. */
  about?: { name: string; place: string };
  severity: NoticeSeverity;
  /** One word, in the past tense where it is over. */
  what: string;
  /** In the subject, behind the experiment; in the body a line of its own. */
  summary: string;
  /** Further lines. */
  lines?: readonly string[];
  /** What to do; absent: nothing. */
  act?: readonly string[];
}

type Tell<Details> = (details: Details, entry: AuditEntry, log: readonly AuditEntry[]) => Draft | undefined;

/** Types of entries that people are told of; of the others nobody is. ANNOUNCED is told by the start itself. */
const TOLD: { [T in EntryType]?: Tell<EntryDetails[T]> } = {
  SCHEDULE_RUN: scheduled,
  KILL_SWITCH_ENGAGING: engaged,
  KILL_SWITCH_ENGAGED: notWhollyEngaged,
  KILL_SWITCH_RE_ARMING: reArmed,
  APPROVAL_REQUESTED: waitsForApproval,
  INJECTED: started,
  ROLLING_BACK: aborted,
  ROLLBACK_FAILED: rollbackFailed,
  RECOVERY_FAILED: recoveryFailed,
  RECOVERY_VERIFIED: recovered,
  CONCLUDED: ended,
};
export const TOLD_TYPES = Object.keys(TOLD) as EntryType[];

/**
 * @param log in which the entry is; without it the notice says less, and a repetition is not known to be one
 * @returns undefined for what nobody has to be told
 */
export function noticeOf(entry: AuditEntry, log: readonly AuditEntry[] = [entry]): Notice | undefined {
  // TOLD holds each type to its details, which the compiler does not follow through a look-up.
  const tell = TOLD[entry.type] as Tell<never> | undefined;
  const draft = tell?.(entry.details as never, entry, log);
  if (!draft) return undefined;
  if (draft.about) return noticeFrom(draft, draft.about.name, draft.about.place);
  const { experimentId } = entry;
  return noticeFrom(draft, experimentId, placeOf(lastOf(log, 'ADMITTED')?.experiment, entry), experimentId);
}

/** @param startsAt from when on it may start; in the past: now */
export function announcementOf(
  experiment: Pick<Experiment, 'experimentId' | 'faults' | 'durationSeconds'>,
  by: string,
  startsAt: string,
  leadSeconds: number,
): Notice {
  const { experimentId, durationSeconds } = experiment;
  const when = leadSeconds > 0 ? `starts at ${clockOf(startsAt)}` : 'starts now';
  return noticeFrom(
    {
      severity: ANNOUNCEMENT_SEVERITY,
      what: 'announced',
      summary: `${when}, for ${durationSeconds} s`,
      lines: [`By ${by}`],
      act: [`To stop it: holdfast abort ${experimentId}`],
    },
    experimentId,
    faultsText(experiment.faults),
    experimentId,
  );
}

/** An announcement was made, and then the start failed: it has no log that could say so. */
export function withdrawalOf({
  experimentId,
  faults,
}: Pick<Experiment, 'experimentId' | 'faults' | 'durationSeconds'>): Notice {
  return noticeFrom(
    { severity: ANNOUNCEMENT_SEVERITY, what: 'not started', summary: 'it was announced, and does not start' },
    experimentId,
    faultsText(faults),
  );
}

/** @param experimentId whose status says more; absent: there is none */
function noticeFrom(
  { severity, what, summary, lines = [], act = [] }: Draft,
  name: string,
  place: string,
  experimentId?: string,
): Notice {
  const isExperiment = experimentId !== undefined;
  return {
    severity,
    subject: subjectOf(`${severity} Holdfast: ${what} ${name}: ${summary}`),
    body: bodyOf([
      [what.toUpperCase(), place].filter(Boolean).join(': '),
      summary,
      ...lines,
      ...(isExperiment ? [`Experiment ${experimentId}`] : []),
      ...act,
      ...(isExperiment ? [`More: holdfast status ${experimentId}`] : []),
    ]),
  };
}

function placeOf(experiment: Experiment | undefined, entry: AuditEntry): string {
  if (experiment) return faultsText(experiment.faults);
  return isEntryOf(entry, 'INJECTED') ? entry.details.nodes.map(({ node }) => node).join(', ') : '';
}

/** `NETWORK_PARTITION on node-3 (sessions)`. */
function faultsText(faults: readonly Pick<Fault, 'kind' | 'cluster' | 'impactedNodes'>[]): string {
  return faults
    .map(({ kind, cluster, impactedNodes }) => `${kind} on ${impactedNodes.join(', ')} (${cluster})`)
    .join('; ');
}

/** Whoever asked himself has the answer already; nobody waits for that of a schedule. A pause is wanted. */
function scheduled(run: EntryDetails['SCHEDULE_RUN'], { actor }: AuditEntry) {
  const { schedule, scheduledAt, experimentId, result, problem } = run;
  const isDelivered = 'arn' in actor && actor.arn === principalOf(schedule);
  if (!isDelivered || (result !== 'REFUSED' && result !== 'FAILED')) return undefined;
  return {
    about: { name: experimentId, place: `schedule ${schedule}` },
    severity: 'WARNING',
    what: result.toLowerCase(),
    summary: problem?.detail ?? 'nobody knows why',
    lines: [`Due at ${scheduledAt}`, ...(problem ? [`Problem ${problem.type.split(':').at(-1)}`] : [])],
    act:
      result === 'REFUSED'
        ? ['Nothing was started.', `To start it now: holdfast schedule run ${schedule}`]
        : ['Whether it was started is not known; it may be tried again.', `Look: holdfast status ${experimentId}`],
  } satisfies Draft;
}

const SWITCH = { name: 'kill switch', more: 'More: holdfast kill-switch status' };

/** Whatever became of it, which is told only if a part of it failed: whoever hears this must not wait for that. */
function engaged(
  { cluster, reason, engagedBy, engagedAt }: EntryDetails['KILL_SWITCH_ENGAGING'],
  { actor }: Pick<AuditEntry, 'actor'>,
) {
  const by = engagedBy ?? ('arn' in actor ? actor.arn : actor.function);
  return {
    about: { name: SWITCH.name, place: `kill switch of ${cluster ?? 'all clusters'}` },
    severity: 'CRITICAL',
    what: 'engaged',
    summary: `${cluster ?? 'all clusters'}: ${reason}`,
    lines: [`By ${by}`, ...(engagedAt === undefined ? [] : [`At ${engagedAt}`])],
    act: ['Faults there end now, and nothing starts.', SWITCH.more],
  } satisfies Draft;
}

/** For when no entry of the log can tell of it. */
export function switchEngagedNotice(details: EntryDetails['KILL_SWITCH_ENGAGING'], actor: AuditEntry['actor']): Notice {
  const draft = engaged(details, { actor });
  return noticeFrom(draft, draft.about.name, draft.about.place);
}

function notWhollyEngaged({ steps }: EntryDetails['KILL_SWITCH_ENGAGED']) {
  const failed = steps.filter(({ outcome }) => outcome === 'FAILED').map(({ step, detail }) => `${step}: ${detail}`);
  const [first, ...others] = failed;
  if (first === undefined) return undefined;
  return {
    about: { name: SWITCH.name, place: 'a step of the kill switch' },
    severity: 'CRITICAL',
    what: 'failed',
    summary: first,
    lines: others,
    act: ['The switch alone frees every host; look after what failed: docs/runbook.md', SWITCH.more],
  } satisfies Draft;
}

function reArmed({ cluster, reason }: EntryDetails['KILL_SWITCH_RE_ARMING'], { actor }: AuditEntry) {
  return {
    about: { name: SWITCH.name, place: `kill switch of ${cluster ?? 'all clusters'}` },
    severity: 'WARNING',
    what: 're-armed',
    summary: `${cluster ?? 'all clusters'}: ${reason}`,
    lines: [`By ${'arn' in actor ? actor.arn : actor.function}`],
    act: ['Experiments may start again.', SWITCH.more],
  } satisfies Draft;
}

/** Somebody has to act, or nothing comes of it. */
function waitsForApproval(
  { experiment, facts, expiresAt }: EntryDetails['APPROVAL_REQUESTED'],
  { experimentId, actor }: AuditEntry,
) {
  const by = 'arn' in actor ? actor.arn : actor.function;
  return {
    about: { name: experimentId, place: faultsText(experiment.faults) },
    severity: 'WARNING',
    what: 'waits for approval',
    summary: `until ${clockOf(expiresAt)}, asked for by ${by}`,
    lines: facts.approval ? [`Not by ${facts.approval.mayNotApprove}`] : [],
    act: [`Look at it: holdfast status ${experimentId}`],
  } satisfies Draft;
}

function started({ endsAt, injectedFaults }: EntryDetails['INJECTED'], { experimentId }: AuditEntry): Draft {
  return {
    severity: 'INFO',
    what: 'started',
    summary: `${injectedFaults.length} fault${injectedFaults.length === 1 ? '' : 's'}, until ${clockOf(endsAt)}`,
    act: [`To end it now: holdfast abort ${experimentId}`],
  };
}

/** The end of its time is no abort; nor is the next try of a rollback. */
function aborted({ reason, detail }: EntryDetails['ROLLING_BACK'], entry: AuditEntry, log: readonly AuditEntry[]) {
  const first = log.find(({ type }) => type === 'ROLLING_BACK') ?? entry;
  if (reason === 'TTL' || first.sequence !== entry.sequence) return undefined;
  const act = ['It is rolled back by itself. You are told when that fails.'];
  return { severity: 'WARNING', what: 'aborted', summary: `${reason}: ${detail}`, act } satisfies Draft;
}

function rollbackFailed(result: EntryDetails['ROLLBACK_FAILED']): Draft {
  return {
    severity: 'CRITICAL',
    what: 'rollback failed',
    summary: failures(result)[0] ?? 'nobody knows why',
    lines: failures(result).slice(1),
    act: HELP,
  };
}

function recoveryFailed({ problems }: EntryDetails['RECOVERY_FAILED']): Draft {
  const [first = 'nobody knows why', ...others] = problems;
  return { severity: 'CRITICAL', what: 'store not healthy', summary: first, lines: others, act: HELP };
}

/** Only after a failure that somebody was paged for. */
function recovered(_: EntryDetails['RECOVERY_VERIFIED'], entry: AuditEntry, log: readonly AuditEntry[]) {
  const before = log.filter(({ sequence }) => sequence < entry.sequence);
  const last = before.findLast(({ type }) => ENDS_OF_RECOVERY.includes(type));
  const [end, failed] = [before.findLast(({ type }) => ENDS_OF_ROLLBACK.includes(type)), hasFailed(before)];
  if (!failed || end?.type === 'ROLLBACK_FAILED' || last?.type === 'RECOVERY_VERIFIED') return undefined;
  const summary = 'the hosts are clean and the store is healthy again';
  return { severity: 'INFO', what: 'recovered', summary } satisfies Draft;
}
const ENDS_OF_ROLLBACK: readonly EntryType[] = ['ROLLED_BACK', 'ROLLBACK_FAILED'];
const ENDS_OF_RECOVERY: readonly EntryType[] = ['RECOVERY_VERIFIED', 'RECOVERY_FAILED'];
const hasFailed = (log: readonly AuditEntry[]) =>
  log.some(({ type }) => type === 'ROLLBACK_FAILED' || type === 'RECOVERY_FAILED');

function ended({ status, outcome, reason, budgets, checks = [] }: Verdict): Draft {
  const failed = status === 'ROLLBACK_FAILED';
  const severity = failed ? 'CRITICAL' : outcome === 'CONFIRMED' ? 'INFO' : 'WARNING';
  return {
    severity,
    what: 'ended',
    summary: `${status}, ${outcome}: ${reason}`,
    lines: [
      ...budgets.map(
        ({ cluster, name, measured, limit, met }) =>
          `${met ? 'met' : 'NOT MET'}: ${name} of ${cluster} ${measured ?? 'not measured'}, at most ${limit}`,
      ),
      ...checks.filter(({ result }) => result !== 'HELD').map(checkText),
    ],
    ...(failed ? { act: HELP } : {}),
  };
}

function checkText({ name, result, measured, unit }: CheckVerdict): string {
  return `check ${name}: ${result}${measured === undefined ? '' : ` at ${measured} ${unit}`}`;
}

const HELP = [
  'A person is needed: docs/runbook.md, ROLLBACK_FAILED.',
  'The cluster stays locked; the sweep tries again each minute.',
];

function failures({ nodes, services = [], problems = [] }: RollbackResult): string[] {
  return [
    ...nodes
      .filter(({ outcome, leftovers }) => outcome === 'FAILED' || leftovers.length > 0)
      .map(({ node, detail, leftovers }) => `${node}: ${[detail, ...leftovers].filter(Boolean).join(', ')}`),
    ...services
      .filter(({ outcome }) => outcome === 'FAILED')
      .map(({ faultId, state, detail }) => `${faultId}: ${detail ?? `${state} in FIS`}`),
    ...problems,
  ];
}

/** `13:12:03 UTC`; what is no time as it stands. */
function clockOf(iso: string): string {
  const found = /T(\d\d:\d\d:\d\d)/.exec(iso);
  return found ? `${found[1]} UTC` : iso;
}
