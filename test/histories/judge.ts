import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { SentRecord } from '../../functions/domain/record-account.ts';
import type { SeenValue, SentValue } from '../../functions/domain/value-account.ts';
import { CHECKOUT } from '../../lab/shared/files.ts';
import { cachedBy } from '../../lab/shared/user-cache.ts';

/** All of it, as lab/setup.sh builds it. */
const SOURCES = readdirSync(join(CHECKOUT, 'test/histories/checker'))
  .sort()
  .map((file) => `test/histories/checker/${file}`);

export interface ValueHistory {
  sent: readonly SentValue[];
  seen: readonly SeenValue[];
  last: ReadonlyMap<string, string | null>;
}
export interface RecordHistory {
  sent: readonly SentRecord[];
  found: ReadonlyMap<string, readonly number[]>;
}
/** What checker/values.go and checker/records.go say, where it is explained. */
export interface ValueVerdict {
  lostKeys: number;
  lost: number;
  overwritten: number;
  resurrected: number;
  staleReads: number;
  linearizable: boolean;
}
export interface RecordVerdict {
  linearizable: boolean;
  lost: number;
  duplicated: number;
  reordered: number;
  repeatedOffsets: number;
  unpromised: number;
}

export function judgeValues(histories: readonly ValueHistory[]): ValueVerdict[] {
  return judge(
    histories.map((values) => ({ values })),
    histories.length,
  );
}

export function judgeRecords(histories: readonly RecordHistory[]): RecordVerdict[] {
  return judge(
    histories.map((records) => ({ records })),
    histories.length,
  );
}

/** @throws Error when the checker is not there, or does not know: that is no verdict */
function judge<Verdict>(histories: readonly object[], expected: number): Verdict[] {
  const directory = cachedBy('histories', ...SOURCES);
  if (!existsSync(directory)) throw new Error('test/histories/checker is not built: run sh lab/setup.sh histories');
  const asObject = (_: string, value: unknown) => (value instanceof Map ? Object.fromEntries(value) : value);
  const input = histories.map((history) => `${JSON.stringify(history, asObject)}\n`).join('');
  const { status, stdout, stderr } = spawnSync(join(directory, 'checker'), {
    input,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  const verdicts = stdout.split('\n').filter(Boolean);
  if (status !== 0 || verdicts.length !== expected)
    throw new Error(`${verdicts.length} of ${expected} histories judged: ${stderr}`);
  return verdicts.map((line) => JSON.parse(line));
}
