import type { Redis } from 'ioredis';
import { parseInfo } from './connection.ts';

/**
 * What a Redis could not write, from `INFO persistence`. It refuses every write with `MISCONF` as long as its last
 * background save failed (with `stop-writes-on-bgsave-error`, the default) or its append-only file cannot be written.
 */
export function persistenceProblems(info: Readonly<Record<string, string>>): string[] {
  return [
    ...(info.rdb_last_bgsave_status === 'err' ? ['could not save (rdb_last_bgsave_status:err): MISCONF'] : []),
    ...(info.aof_last_write_status === 'err' ? ['cannot append (aof_last_write_status:err): MISCONF'] : []),
  ];
}

/**
 * Begins the save that lifts MISCONF, unless one is under way. A failed append needs nothing: Redis tries it again each
 * second by itself.
 * @returns whether a save was begun
 */
export async function saveAgain(redis: Redis): Promise<boolean> {
  const info = parseInfo(await redis.info('persistence'));
  if (info.rdb_last_bgsave_status !== 'err' || info.rdb_bgsave_in_progress === '1') return false;
  // SCHEDULE: while the append-only file is rewritten, a plain BGSAVE would be refused.
  await redis.bgsave('SCHEDULE');
  return true;
}
