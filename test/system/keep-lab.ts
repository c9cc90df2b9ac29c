import { findKeeper, startLab, stopLab } from '../../lab/up.ts';
import { SYSTEM_LAB_DIRECTORY } from './directory.ts';

/**
 * Starts the lab of the system tests, says `ready` and keeps it until its input ends: test/run.ts starts it beside the
 * tiers before. It is leashed to this process, so it is gone whatever becomes of the tests.
 */
if (findKeeper(SYSTEM_LAB_DIRECTORY)) await stopLab(SYSTEM_LAB_DIRECTORY);
const onProgress = (text: string) => process.stderr.write(`lab: ${text}\n`);
await startLab({ directory: SYSTEM_LAB_DIRECTORY, scope: 'all', leashed: true, onProgress });
process.stdout.write('ready\n');
process.stdin.resume().once('end', async () => {
  await stopLab(SYSTEM_LAB_DIRECTORY);
  process.exit(0);
});
