import type { ShownReading, StatusDocument, TimelineEntry } from './api-documents.ts';

/** Rendering of a running experiment: documents in, lines out. Nothing here knows of clocks, terminals or the network. */

/** Colours only where a person looks: `paint` is the identity for plain output. */
export type Paint = (style: 'good' | 'bad' | 'dim' | 'bold', text: string) => string;
export const plainPaint: Paint = (_style, text) => text;
export const ansiPaint: Paint = (style, text) =>
  `\u001b[${{ good: 32, bad: 31, dim: 2, bold: 1 }[style]}m${text}\u001b[0m`;

/** Server text goes to a terminal: control characters in it (a node's output, say) must stay powerless. */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is taken out
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ');
}

const BAR_WIDTH = 30;

/** Seconds of the fault's life that are gone and left, as a bar. */
export function renderProgress(status: StatusDocument, paint: Paint): string {
  const elapsed = status.elapsedSeconds ?? 0;
  const remaining = status.remainingSeconds ?? 0;
  const total = elapsed + remaining;
  const filled = total > 0 ? Math.round((BAR_WIDTH * Math.min(elapsed, total)) / total) : 0;
  const bar = `${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)}`;
  return `${paint('bold', status.status.padEnd(12))} ${bar} ${Math.round(elapsed)} s, TTL ends in ${Math.round(remaining)} s`;
}

/** One guardrail: value, limit, age of its reading, verdict. A value that could not be read is a breach and says so. */
export function renderReading(reading: ShownReading, paint: Paint): string {
  const value = reading.value == null ? 'unreadable' : `${round(reading.value)} ${reading.unit}`;
  const limit = `${reading.breachWhen === 'above' ? 'limit' : 'at least'} ${round(reading.limit)} ${reading.unit}`;
  const age = reading.ageSeconds == null ? 'age unknown' : `${reading.ageSeconds.toFixed(1)} s old`;
  const verdict = reading.breached
    ? paint('bad', `BREACH${reading.reason ? `: ${printable(reading.reason)}` : ''}`)
    : paint('good', 'ok');
  return `  ${printable(reading.guardrail).padEnd(20)} ${value.padStart(14)}   ${limit.padEnd(18)} ${age.padEnd(12)} ${verdict}`;
}

/** The part of the screen that is redrawn every second. */
export function renderFrame(status: StatusDocument, paint: Paint): string[] {
  const guardrails = status.guardrails ?? [];
  const nodes = (status.impactedNodes ?? []).map(
    (node) => `${printable(node.podName)} ${paint('bold', printable(node.faultState))}`,
  );
  return [
    renderProgress(status, paint),
    ...(guardrails.length > 0
      ? guardrails.map((reading) => renderReading(reading, paint))
      : [paint('dim', '  no guardrail has been read yet')]),
    `  nodes: ${nodes.length > 0 ? nodes.join(', ') : 'none impacted'}`,
  ];
}

/** The same without a screen to redraw: a line for the experiment and one for its guardrails. */
export function renderPlainStatus(status: StatusDocument): string[] {
  const left = status.remainingSeconds == null ? '' : `, TTL ends in ${Math.round(status.remainingSeconds)} s`;
  const nodes = (status.impactedNodes ?? []).map((node) => `${printable(node.podName)} ${printable(node.faultState)}`);
  const readings = (status.guardrails ?? []).map((reading) => {
    const value = reading.value == null ? 'unreadable' : `${round(reading.value)} ${reading.unit}`;
    const limit = `${reading.breachWhen === 'above' ? 'at most' : 'at least'} ${round(reading.limit)}`;
    const age = reading.ageSeconds == null ? 'age unknown' : `${reading.ageSeconds.toFixed(1)} s old`;
    return `${printable(reading.guardrail)} ${value} (${limit}, ${age})${reading.breached ? ' BREACH' : ''}`;
  });
  return [
    `${status.status}${left}${nodes.length > 0 ? `, ${nodes.join(', ')}` : ''}`,
    ...(readings.length > 0 ? [`  ${readings.join('; ')}`] : []),
  ];
}

/** One line of what happened, as it came in. */
export function renderTimelineEntry(entry: TimelineEntry, paint: Paint): string {
  const time = /T(\d\d:\d\d:\d\d(?:\.\d{1,3})?)/.exec(entry.at)?.[1] ?? printable(entry.at);
  const bad = /FAILED|REFUSED|ABORT/.test(entry.type);
  const type = printable(entry.type).padEnd(22);
  return `${paint('dim', time)}  ${bad ? paint('bad', type) : type} ${printable(entry.summary)}`;
}

export function round(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(Math.abs(value) < 10 ? 2 : 1);
}
