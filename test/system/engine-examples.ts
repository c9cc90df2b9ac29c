import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { exampleFiles } from '../../lib/example-table.ts';
import { SYSTEM_LAB_DIRECTORY } from './directory.ts';
import { SystemUnderTest } from './harness.ts';
import { type LabRun, labRun, type RunDocument } from './lab-run.ts';

const EXAMPLES = new URL('../../examples/', import.meta.url);
const ATTEMPTS = 3;
/** Of all attempts, and of the waits before them. */
export const PATIENCE_MS = ATTEMPTS * 240_000;

/** What one shard's client saw. */
interface Measured {
  shard: string;
  lostAcknowledgedWrites?: number;
  lossSpanSeconds?: number;
  failedWrites: number;
}

/** Of an example, which completes. */
export interface ExpectedEnd {
  outcome: string;
  /** The check that fails in some runs, as its page says: then, and by that alone, the outcome is DEVIATED. */
  mayFail?: string;
  /** The failure modes that it shows beside the others when that check fails, and then alone; without such a check, in some runs. */
  mayShow?: readonly string[];
  /** Whether all that was acknowledged is kept. */
  losesNothing: boolean;
  /** The failure modes that it shows; absent: none. */
  findings?: readonly string[];
  number(document: RunDocument): void;
}

const measuredIn = ({ timeline }: RunDocument): Measured[] =>
  timeline.filter(({ type }) => type === 'PROBE_MEASURED').map(({ details }) => details as unknown as Measured);
export const lostIn = (document: RunDocument): number =>
  measuredIn(document).reduce((sum, { lostAcknowledgedWrites = Number.NaN }) => sum + lostAcknowledgedWrites, 0);
/** From the first acknowledgement that was lost to the last, seconds, of a store that finds data by their keys. */
export const lossSpanIn = (document: RunDocument): number =>
  Math.max(...measuredIn(document).map(({ lossSpanSeconds = Number.NaN }) => lossSpanSeconds));
/** Writes without an acknowledgement, or with a read behind them that had something else. */
export const failedIn = (document: RunDocument): number =>
  measuredIn(document).reduce((sum, { failedWrites }) => sum + failedWrites, 0);
/** Of the worst shard, as the verdict says: 0 where a probe saw no outage, which has none to tell. NaN: nobody could tell. */
export const rtoIn = ({ budgets }: RunDocument): number =>
  budgets.find(({ name }) => name === 'rtoSeconds')?.measured ?? Number.NaN;
/** No operation failed, so that there was no outage to recover from. */
export function expectNothingNoticed(document: RunDocument): void {
  expect(rtoIn(document)).toBe(0);
  expect(failedIn(document)).toBe(0);
}

export const checkIn = ({ checks }: RunDocument, name: string) => {
  const found = checks.find((check) => check.name === name);
  if (!found) throw new Error(`${name} is none of ${checks.map((check) => check.name).join(', ')}`);
  return found;
};

/**
 * A test for each example of an engine: its end, its number, and that every one of the hosts is clean.
 * @param elsewhere those that another file has
 */
export function describeExamples(
  engine: string,
  hosts: readonly { name: string }[],
  expected: Readonly<Record<string, ExpectedEnd>>,
  elsewhere: readonly string[] = [],
): void {
  it(`every example of ${engine} has an end that is known`, () => {
    const files = exampleFiles(EXAMPLES).filter((name) => name.startsWith(`${engine}-`));
    expect(files).toEqual([...Object.keys(expected), ...elsewhere].sort());
  });
  describeEnds(hosts, expected);
}

/** A test for each of these examples, in the lab that is up. */
export function describeEnds(
  hosts: readonly { name: string }[],
  expected: Readonly<Record<string, ExpectedEnd>>,
): void {
  describe('each example, one after the other, on real stores through the deployed system', () => {
    let system: SystemUnderTest;
    beforeAll(() => {
      system = new SystemUnderTest();
    });
    afterAll(() => system.close());

    it.each(Object.entries(expected))(
      '%s ends as its page says, with its number, and leaves every host clean',
      async (name, end) => {
        const document = await expectEnd(system, hosts, name, end);
        end.number(document);
      },
      PATIENCE_MS,
    );
  });
}

/** Runs an example until it says something. What must be safe holds in each attempt. */
export async function expectEnd(
  system: SystemUnderTest,
  hosts: readonly { name: string }[],
  name: string,
  { outcome, mayFail, mayShow = [], losesNothing, findings = [] }: Omit<ExpectedEnd, 'number'>,
): Promise<RunDocument> {
  const file = fileURLToPath(new URL(name, EXAMPLES));
  let found = await run(system, file);
  for (let attempt = 2; saysNothing(found.document) && attempt <= ATTEMPTS; attempt += 1) {
    const { status, outcome: end, reason } = found.document;
    process.stderr.write(`${name} was ${status}, ${end}: ${reason}. Once more\n`);
    await expectSafe(system, hosts, found, losesNothing);
    found = await run(system, underAnotherId(file, attempt));
  }
  await expectSafe(system, hosts, found, losesNothing);
  const { document, stderr } = found;
  const failed = document.checks.filter(({ result }) => result !== 'HELD').map((check) => check.name);
  const isKnown = mayFail !== undefined && failed.length === 1 && failed[0] === mayFail;
  if (isKnown) process.stderr.write(`${name}: ${whyOf(document).split('\n')[0]}\n`);
  const end = { status: 'COMPLETED', outcome: isKnown ? 'DEVIATED' : outcome };
  expect(document, `${whyOf(document)}\n${stderr}`).toMatchObject(end);
  if (losesNothing) expect(lostIn(document)).toBe(0);
  const shown = document.findings.map(({ failureMode }) => failureMode);
  const inSomeRuns = mayFail === undefined ? mayShow : [];
  expect(shown.filter((name) => !inSomeRuns.includes(name))).toEqual(isKnown ? [...findings, ...mayShow] : findings);
  return document;
}

/** `lab run`, once what must hold before the fault holds. */
export async function run(system: SystemUnderTest, file: string): Promise<LabRun> {
  await system.waitUntilAdmitted(() => JSON.parse(readFileSync(file, 'utf8')));
  return await labRun(file);
}

/** What must hold whatever else happens on a busy machine. */
async function expectSafe(
  system: SystemUnderTest,
  hosts: readonly { name: string }[],
  { document, stderr }: LabRun,
  losesNothing: boolean,
): Promise<void> {
  expect(document.status, stderr).not.toBe('ROLLBACK_FAILED');
  for (const node of document.nodes) expect(node, stderr).toMatchObject({ leftovers: [] });
  for (const { name } of hosts) {
    expect(await system.ourRules(name), name).toEqual([]);
    expect(await system.programs(name), name).toEqual([]);
  }
  const lost = measuredIn(document).map(({ lostAcknowledgedWrites }) => lostAcknowledgedWrites ?? 0);
  if (losesNothing) expect(Math.max(0, ...lost), stderr).toBe(0);
}

/** The first lines of a failed test are those that are read: how it ended, and what did not hold. */
function whyOf(document: RunDocument): string {
  const { status, outcome, reason, checks } = document;
  const details = [...checks.filter(({ result }) => result !== 'HELD'), ...measuredIn(document)];
  return [`${status} ${outcome}: ${reason}`, ...details.map((each) => JSON.stringify(each))].join('\n');
}

/** Refused, ended by the guard, or with something that nobody could see: a busy machine is no steady one. */
function saysNothing({ status, outcome }: RunDocument): boolean {
  return status !== 'COMPLETED' || outcome === 'INCONCLUSIVE';
}

/** An id runs once. */
function underAnotherId(file: string, attempt: number): string {
  const experiment = JSON.parse(readFileSync(file, 'utf8'));
  const copy = join(SYSTEM_LAB_DIRECTORY, 'once-more.json');
  writeFileSync(copy, JSON.stringify({ ...experiment, experimentId: `${experiment.experimentId}_${attempt}` }));
  return copy;
}
