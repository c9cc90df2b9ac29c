import type { ExperimentDocument, ShownCheck, ShownReading, StatusDocument } from './api-documents.ts';
import { columns, type Paint, printable, round, timeOfDay } from './render.ts';

/** Of an experiment that runs: what is redrawn every second, and the lines for a log. */

const BAR_WIDTH = 30;

/** The phase, and while the fault is in place how much of its time is gone and left, as a bar. */
export function renderProgress(status: StatusDocument, paint: Paint): string {
  const elapsed = status.elapsedSeconds ?? 0;
  const remaining = status.remainingSeconds ?? 0;
  const phase = paint('bold', status.status.padEnd(12));
  if (status.status !== 'RUNNING') return `${phase} ${phaseWords(status)}`.trimEnd();
  const total = elapsed + remaining;
  const filled = total > 0 ? Math.round((BAR_WIDTH * Math.min(elapsed, total)) / total) : 0;
  const bar = `${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)}`;
  return `${phase} ${bar} ${Math.round(elapsed)} s, TTL ends in ${Math.round(remaining)} s`;
}

function phaseWords({ status, elapsedSeconds, remainingSeconds }: StatusDocument): string {
  if (status === 'PENDING_APPROVAL') return 'another person has to approve it; nothing was started';
  if (status === 'ACCEPTED') {
    return `no fault yet${remainingSeconds ? `; it will have a TTL of ${Math.round(remainingSeconds)} s` : ''}`;
  }
  if (status === 'ROLLING_BACK') {
    return `${elapsedSeconds ? `the fault began ${Math.round(elapsedSeconds)} s ago; ` : ''}hosts revert it, then the store must be healthy again`;
  }
  return '';
}

/** What it was is not what it is: once nobody reads a guardrail, it is not ok either. */
function isFresh({ ageSeconds, maxAgeSeconds }: ShownReading): boolean {
  return ageSeconds != null && ageSeconds <= maxAgeSeconds;
}

/** One guardrail: value, limit, age of its reading, verdict. A value that could not be read is a breach and says so. */
function readingCells(reading: ShownReading, paint: Paint): string[] {
  const value = reading.value == null ? 'unreadable' : `${round(reading.value)} ${reading.unit}`;
  const limit = `${reading.breachWhen === 'above' ? 'at most' : 'at least'} ${round(reading.limit)} ${reading.unit}`;
  const age = reading.ageSeconds == null ? 'age unknown' : `${reading.ageSeconds.toFixed(1)} s old`;
  const verdict = reading.breached
    ? paint('bad', `BREACH${reading.reason ? `: ${printable(reading.reason)}` : ''}`)
    : isFresh(reading)
      ? paint('good', 'ok')
      : paint('dim', 'not read any more');
  return [`  ${printable(reading.guardrail)}`, printable(value), printable(limit), age, verdict];
}

export function renderReadings(readings: readonly ShownReading[], paint: Paint): string[] {
  return columns(readings.map((reading) => readingCells(reading, paint)));
}

const CHECK_WORDS = { PENDING: 'pending', HOLDS: 'holds', FAILS: 'FAILS', UNKNOWN: 'UNKNOWN' } as const;

const WHEN: Record<string, (within: string) => string> = {
  BEFORE: () => 'before the fault',
  THROUGHOUT: () => 'throughout',
  AFTER_FAULT: (within) => `${within}after the fault and on`,
  AFTER_ROLLBACK: (within) => `${within}after the rollback and on`,
  HAPPENS: (within) => `once ${within}after the fault`,
  STEADY: () => 'before and at the end',
};

/** When a check must hold, and within which limits. */
export function renderTolerance({
  when,
  withinSeconds,
  tolerance,
  unit,
}: Pick<ShownCheck, 'when' | 'withinSeconds' | 'tolerance' | 'unit'>): string {
  const { atLeast, atMost } = tolerance;
  const limits = [
    ...(atLeast == null ? [] : [`at least ${round(atLeast)}`]),
    ...(atMost == null ? [] : [`at most ${round(atMost)}`]),
  ].join(' and ');
  const within = withinSeconds == null ? '' : `within ${round(withinSeconds)} s `;
  const time = WHEN[when]?.(within) ?? `${when} ${within}`.trim();
  return printable(`${limits} ${unit}, ${time}`);
}

/** The value is the one with which that began: of a check that goes on holding it says nothing any more. */
function valueOfCheck({ state, value, unit }: ShownCheck): string {
  return state === 'HOLDS' || value == null ? '' : `${round(value)} ${printable(unit)}`;
}

function checkCells(check: ShownCheck, paint: Paint): string[] {
  const { state, name, since } = check;
  const style = state === 'HOLDS' ? 'good' : state === 'PENDING' ? 'dim' : 'bad';
  const from = since == null ? '' : `since ${timeOfDay(since)}`;
  return [
    `  ${printable(name)}`,
    valueOfCheck(check) || '-',
    renderTolerance(check),
    paint(style, [CHECK_WORDS[state], from].filter(Boolean).join(' ')),
  ];
}

/** What each host saw of its fault when it was injected: the status says where it is, the answers what it does. */
function nodeCells(
  status: StatusDocument,
  answers: NonNullable<ExperimentDocument['answers']>,
  paint: Paint,
): string[][] {
  return (status.impactedNodes ?? []).map(({ podName, faultState }) => {
    const effects = answers.flatMap(({ node, effect }) => (node === podName && effect ? [effect] : []));
    const seen = effects.map(({ measure, value, unit }) => printable(`${measure}: ${round(value)} ${unit}`)).join('; ');
    return [
      `  ${printable(podName)}`,
      paint('bold', printable(faultState)),
      seen && paint('dim', `at its start: ${seen}`),
    ];
  });
}

/** The part of the screen that is redrawn every second. */
export function renderFrame(
  status: StatusDocument,
  paint: Paint,
  document?: Pick<ExperimentDocument, 'answers'>,
): string[] {
  const guardrails = status.guardrails ?? [];
  const checks = status.checks ?? [];
  const nodes = nodeCells(status, document?.answers ?? [], paint);
  const section = (title: string, lines: readonly string[], without?: string): string[] => {
    if (lines.length === 0) return without === undefined ? [] : [paint('dim', `  ${without}`)];
    return [paint('dim', title), ...lines];
  };
  return [
    `${renderProgress(status, paint)}  ${paint('dim', printable(status.experimentId))}`,
    ...section('guardrails', renderReadings(guardrails, paint), 'no guardrail has been read yet'),
    ...section('checks', columns(checks.map((check) => checkCells(check, paint)))),
    ...section('nodes', columns(nodes), 'no node is impacted'),
  ];
}

/** The same without a screen to redraw: a line for the experiment, one for its guardrails, one for its checks. */
export function renderPlainStatus(status: StatusDocument): string[] {
  const left = status.remainingSeconds == null ? '' : `, TTL ends in ${Math.round(status.remainingSeconds)} s`;
  const nodes = (status.impactedNodes ?? []).map((node) => `${printable(node.podName)} ${printable(node.faultState)}`);
  const readings = (status.guardrails ?? []).map((reading) => {
    const value = reading.value == null ? 'unreadable' : `${round(reading.value)} ${printable(reading.unit)}`;
    const limit = `${reading.breachWhen === 'above' ? 'at most' : 'at least'} ${round(reading.limit)}`;
    const age = reading.ageSeconds == null ? 'age unknown' : `${reading.ageSeconds.toFixed(1)} s old`;
    return `${printable(reading.guardrail)} ${value} (${limit}, ${age})${reading.breached ? ' BREACH' : isFresh(reading) ? '' : ' not read any more'}`;
  });
  const checks = (status.checks ?? []).map((check) => {
    const value = valueOfCheck(check);
    return `${printable(check.name)} ${CHECK_WORDS[check.state]}${value && ` (${value})`}`;
  });
  return [
    `${status.status}${status.status === 'RUNNING' ? left : ''}${nodes.length > 0 ? `, ${nodes.join(', ')}` : ''}`,
    ...[readings, checks].flatMap((parts) => (parts.length > 0 ? [`  ${parts.join('; ')}`] : [])),
  ];
}
