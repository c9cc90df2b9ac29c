import { findSupervisor, startLab, stopLab } from '../../lab/runtime/lifecycle.ts';
import { SYSTEM_LAB_DIRECTORY } from './directory.ts';

/**
 * One lab for the whole tier. It ends with this process whatever becomes of the tests. With
 * SYSTEM_LAB=up there is one already, see keep-lab.ts.
 */
export default async function setUp(): Promise<(() => Promise<void>) | undefined> {
  if (process.env.SYSTEM_LAB === 'up') return undefined;
  if (findSupervisor(SYSTEM_LAB_DIRECTORY)) await stopLab(SYSTEM_LAB_DIRECTORY);
  await startLab({
    directory: SYSTEM_LAB_DIRECTORY,
    scope: 'all',
    endsWithParent: true,
    tls: true,
    onProgress: (text) => process.stdout.write(`lab: ${text}\n`),
  });
  return async () => {
    await stopLab(SYSTEM_LAB_DIRECTORY);
  };
}
