import { isRefusalId } from '../domain/audit-entry.ts';
import { experimentKey, otherLogKey, refusalsKey } from '../domain/audit-export.ts';
import type { Clock } from '../domain/clock.ts';
import { isExperimentId } from '../domain/contract.ts';
import type { AuditIndex } from '../tables/audit-index.ts';
import type { AuditLog } from '../tables/audit-log.ts';
import type { Cursors } from '../tables/cursors.ts';
import { writtenBetween } from './written-between.ts';

const DAY_MS = 86_400_000;
/** Of one run; what is left is the next one's. */
const MAX_DAYS = 31;
/** Logs that are read at a time. */
const AT_A_TIME = 20;
/** Of at most 30 kB each: anybody who may call the API can make as many as he likes. */
export const REFUSALS_IN_PART = 500;

export interface ExportDependencies {
  index: Pick<AuditIndex, 'find'>;
  audit: Pick<AuditLog, 'readUnparsed'>;
  cursors: Pick<Cursors, 'read' | 'write'>;
  put(key: string, body: string): Promise<void>;
  stackName: string;
  clock: Clock;
}

export interface Exported {
  days: string[];
  objects: number;
}

/**
 * Every day that is over and was not exported yet; at the first run yesterday. One object for each log to which something was
 * written on that day, from its first entry to the end of the day, so that the chain can be verified from the object alone; and
 * the refusals of the day, in parts. Keys and content follow from the day: a run that is repeated writes the same.
 * @throws the stores' error; days before it are done
 */
export async function exportAudit(dependencies: ExportDependencies): Promise<Exported> {
  const { cursors, clock } = dependencies;
  const today = dayOf(clock.nowEpochMs());
  const last = (await cursors.read('exported')) ?? dayOf(clock.nowEpochMs() - 2 * DAY_MS);
  const exported: Exported = { days: [], objects: 0 };
  for (let day = dayAfter(last); day < today && exported.days.length < MAX_DAYS; day = dayAfter(day)) {
    exported.objects += await exportDay(day, dependencies);
    await cursors.write('exported', day);
    exported.days.push(day);
  }
  return exported;
}

async function exportDay(day: string, { index, audit, put, stackName }: ExportDependencies): Promise<number> {
  const end = dayAfter(day);
  const ids = [...new Set((await writtenBetween(day, end, index)).map(({ experimentId }) => experimentId))].sort();
  const linesOf = async (id: string) =>
    (await audit.readUnparsed(id)).filter(({ at }) => String(at) < end).map((entry) => `${JSON.stringify(entry)}\n`);
  const refusals = ids.filter(isRefusalId);
  const logs = ids.filter((id) => !isRefusalId(id));
  for (const some of inParts(logs, AT_A_TIME)) {
    await Promise.all(
      some.map(async (id) => {
        const key = isExperimentId(id) ? experimentKey(stackName, day, id) : otherLogKey(stackName, day, id);
        await put(key, (await linesOf(id)).join(''));
      }),
    );
  }
  const parts = inParts(refusals, REFUSALS_IN_PART);
  for (const [index, part] of parts.entries()) {
    const lines: string[] = [];
    for (const some of inParts(part, AT_A_TIME)) lines.push(...(await Promise.all(some.map(linesOf))).flat());
    await put(refusalsKey(stackName, day, index + 1), lines.join(''));
  }
  return logs.length + parts.length;
}

function inParts<T>(all: readonly T[], size: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / size) }, (_, part) => all.slice(part * size, (part + 1) * size));
}

/** `YYYY-MM-DD`, UTC; as text it comes before every moment of its day. */
function dayOf(epochMs: number): string {
  return new Date(epochMs).toISOString().slice(0, 10);
}

function dayAfter(day: string): string {
  return dayOf(Date.parse(day) + DAY_MS);
}
