import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Replayed, replay } from '../host/replay.ts';
import { type Encoded, Program } from './program.ts';
import { lifeOf, troubles } from './reversal-life.ts';
import { historyOf } from './watch-history.ts';
import { CALM_WATCH } from './watch-plans.ts';

const HOST_DIRECTORY = fileURLToPath(new URL('../../host/', import.meta.url));

interface Line {
  pid: number;
  machine: string;
  state: Encoded;
  event: Encoded;
  at: number;
  after: Encoded;
  effects: Encoded;
}

let directory: string;
let trace: string;
/** What a runner decides from its lease on. */
let lines: Line[];

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast-trace-'));
  trace = join(directory, 'trace.jsonl');
  lines = await traced((program) => historyOf(program, CALM_WATCH));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Everything that one process does, with HOLDFAST_TRACE. */
async function traced(does: (program: Program) => Promise<unknown>): Promise<Line[]> {
  rmSync(trace, { force: true });
  const program = new Program({ HOLDFAST_TRACE: trace });
  await does(program);
  program.stop();
  return readFileSync(trace, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

const replayed = (lines: readonly unknown[], end = '\n'): Promise<Replayed> => {
  writeFileSync(trace, lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n') + end);
  return replay(HOST_DIRECTORY, trace);
};

describe('a trace', () => {
  it('names types that are the same when they are written and read: every event, effect and state that there is', async () => {
    const program = new Program();
    const examples = await program.examples();
    program.stop();
    for (const { type, isSame } of examples) expect(isSame, type).toBe(true);
    const decisions = [
      'Tick',
      'LeaseRead',
      'Revert',
      'Refresh',
      'Peer',
      'Lease',
      'Row',
      'Reversal',
      'Action',
      'Waiting',
    ];
    expect(examples.map(({ type }) => type)).toEqual(expect.arrayContaining(decisions));
  });

  it('says of each decision who made it of what, and replays without a difference', async () => {
    expect(lines.length).toBeGreaterThan(100);
    expect(new Set(lines.map(({ machine, pid }) => `${machine} ${pid > 1}`))).toEqual(new Set(['peer true']));
    expect(await replayed(lines)).toEqual({
      counts: { peer: lines.length, reversal: 0, lock: 0 },
      problems: [],
      isCut: false,
    });
  });

  it('replays reverts too, whoever dies in them', async () => {
    const stories = fc.sample(troubles(), { numRuns: 20, seed: 3 });
    const reverts = await traced(async (program) => {
      for (const story of stories) await lifeOf(program, story);
    });
    const { counts, problems } = await replay(HOST_DIRECTORY, trace);
    expect(problems).toEqual([]);
    expect(counts.reversal).toBe(reverts.length);
  });

  it('of nobody is no decision', async () => {
    expect(await replay(HOST_DIRECTORY, join(directory, 'none'))).toMatchObject({ counts: { peer: 0 }, problems: [] });
  });
});

describe('a replay fails', () => {
  const at = 30;

  it('with the line of another state', async () => {
    const wrong = lines.map((line, place) => (place === at ? { ...line, after: { ...line.after, said_at: 1 } } : line));
    const { problems } = await replayed(wrong);
    expect(problems[0]).toMatch(/^line 31: after is now /);
    expect(problems[0]).toContain(JSON.stringify(wrong[at]));
    expect(problems[1]).toMatch(/^line 32: begins with /);
    expect(problems.length).toBe(2);
  });

  it('with the line of another effect', async () => {
    const effects = { type: 'tuple', items: [{ type: 'Revert', reason: 'TTL', ends_peer: false }] };
    const { problems } = await replayed(lines.map((line, place) => (place === at ? { ...line, effects } : line)));
    expect(problems).toEqual([expect.stringMatching(/^line 31: effects is now /)]);
  });

  it('with the line that another time has made', async () => {
    const tick = lines.findIndex(({ event }, place) => place > at && event.type === 'Tick');
    const { problems } = await replayed(
      lines.map((line, place) => (place === tick ? { ...line, at: line.at + 1_000 } : line)),
    );
    expect(problems).toEqual([expect.stringMatching(new RegExp(`^line ${tick + 1}: after is now `))]);
  });

  it('with the line after one that is missing, unless another process wrote it', async () => {
    const change = lines.findIndex(
      ({ state, after }, place) => place > at && JSON.stringify(state) !== JSON.stringify(after),
    );
    const { problems } = await replayed(lines.filter((_, place) => place !== change));
    expect(problems).toEqual([expect.stringMatching(new RegExp(`^line ${change + 1}: begins with `))]);
    const ofTwo = lines.flatMap((line) => [line, { ...line, pid: 1 }]);
    expect((await replayed(ofTwo)).problems).toEqual([]);
  });

  it('with what is no decision of this program', async () => {
    const event = { type: 'Guessed', why: 'no reason' };
    const { problems } = await replayed([
      { ...lines[0], event },
      { ...lines[0], event: { type: 'Tick' } },
      { pid: 1 },
      '{"pid": 1, "mach',
    ]);
    expect(problems).toEqual([
      expect.stringMatching(/^line 1: KeyError: 'Guessed'/),
      expect.stringMatching(/^line 2: TypeError: /),
      expect.stringMatching(/^line 3: ValueError: not the fields of a decision/),
      expect.stringMatching(/^line 4: JSONDecodeError: /),
    ]);
  });

  it('not with half a line at the end, which a process that was killed leaves', async () => {
    expect(await replayed([...lines, JSON.stringify(lines[0]).slice(0, 200)], '')).toMatchObject({
      problems: [],
      isCut: true,
    });
  });
});
