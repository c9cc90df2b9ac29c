import { readdirSync, readFileSync } from 'node:fs';
import type { FaultKind } from '../functions/domain/faults/catalogue.ts';

/** The table in `examples/README.md`, made from the payloads beside it. */
const BEGIN = '<!-- Made by npm run generate. -->';
const END = '<!-- End of what is made. -->';

/** What the table reads of a payload; that it is a valid one is tested. */
interface Payload extends Partial<Fault> {
  faults?: Fault[];
  durationSeconds: number;
}
interface Fault {
  action: FaultKind;
  parameters: Record<string, unknown>;
  after?: string;
  offsetSeconds?: number;
}

/** Names of the files there that are experiments. */
export function exampleFiles(folder: URL): string[] {
  return readdirSync(folder).filter((name) => name.endsWith('.json') && !name.endsWith('.schema.json'));
}

/** By the names of their files. */
export function readPayloads(folder: URL): Record<string, Payload> {
  return Object.fromEntries(
    exampleFiles(folder).map((name) => [name, JSON.parse(readFileSync(new URL(name, folder), 'utf8'))]),
  );
}

/**
 * @param payloads by the names of their files
 * @returns the page with its table as the payloads are now
 * @throws Error when the page has no place for the table
 */
export function withExampleTable(page: string, payloads: Readonly<Record<string, Payload>>): string {
  const [before, rest] = page.split(BEGIN);
  const after = rest?.split(END)[1];
  if (before === undefined || after === undefined) throw new Error(`examples/README.md: no ${BEGIN} … ${END}`);
  const rows = Object.entries(payloads).map(([file, payload]) => {
    const faults = payload.faults ?? [payload as Fault];
    return `| \`${file}\` | ${faults.map(words).join('; ')} | ${payload.durationSeconds} |`;
  });
  const table = ['', '', '| file | faults and what they are given | seconds |', '|---|---|---|', ...rows, '', ''];
  return `${before}${BEGIN}${table.join('\n')}${END}${after}`;
}

function words({ action, parameters, after, offsetSeconds = 0 }: Fault): string {
  const given = Object.entries(parameters).map(
    ([name, value]) => `\`${name}\` ${(Array.isArray(value) ? value : [value]).map(entryWords).join(', ')}`,
  );
  const start = `${offsetSeconds > 0 ? `${offsetSeconds} s ` : ''}${after === undefined ? '' : `after ${after} `}`;
  return `${start}${action}: ${given.join(', ')}`;
}

/** A node is named, or chosen by its role. Other objects are shown name by name. */
function entryWords(entry: unknown): string {
  if (typeof entry !== 'object' || entry === null) return String(entry);
  const { role, of, ...rest } = entry as { role?: string; of?: string };
  if (role !== undefined) return of === undefined ? `(${role})` : `(${role} of ${of})`;
  const words = Object.entries(rest).map(([name, value]) => `\`${name}\` ${value}`);
  return `(${words.join(', ')})`;
}
