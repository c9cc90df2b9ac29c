import type { TimelineEntry } from './api-documents.ts';

/** Rendering: documents in, lines out. Nothing in the `render` files knows of clocks, terminals or the network. */

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

/** Of an ISO 8601 time in UTC: while an experiment runs its day is known. */
export function timeOfDay(at: string): string {
  return /T(\d\d:\d\d:\d\d(?:\.\d{1,3})?)/.exec(at)?.[1] ?? printable(at);
}

/** One line of what happened, as it came in. */
export function renderTimelineEntry(entry: TimelineEntry, paint: Paint): string {
  const time = timeOfDay(entry.at);
  const bad = /FAILED|REFUSED|ABORT/.test(entry.type);
  const type = printable(entry.type).padEnd(22);
  return `${paint('dim', time)}  ${bad ? paint('bad', type) : type} ${printable(entry.summary)}`;
}

export function round(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(Math.abs(value) < 10 ? 2 : 1);
}

/** Lines of cells, each column as wide as its widest cell. */
export function columns(rows: readonly (readonly string[])[]): string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  );
}
