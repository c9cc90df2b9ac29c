import { findKeeper, startLab, stopLab } from '../../lab/up.ts';
import { SYSTEM_LAB_DIRECTORY } from './directory.ts';

/**
 * One lab for the whole tier. It is leashed to this process, so it is gone whatever becomes of the tests. With
 * SYSTEM_LAB=up there is one already, see keep-lab.ts.
 */
export default async function setUp(): Promise<(() => Promise<void>) | undefined> {
  if (process.env.SYSTEM_LAB === 'up') return undefined;
  if (findKeeper(SYSTEM_LAB_DIRECTORY)) await stopLab(SYSTEM_LAB_DIRECTORY);
  await startLab({
    directory: SYSTEM_LAB_DIRECTORY,
    scope: 'all',
    leashed: true,
    onProgress: (text) => process.stdout.write(`lab: ${text}\n`),
  });
  return async () => {
    await stopLab(SYSTEM_LAB_DIRECTORY);
  };
}
