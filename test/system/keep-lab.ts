import { findSupervisor, startLab, stopLab } from '../../lab/runtime/lifecycle.ts';
import { SYSTEM_LAB_DIRECTORY } from './directory.ts';

/**
 * Starts the lab of the system tests, says `ready` and keeps it until its input ends: test/run.ts starts it beside the
 * tiers before. It ends with this process whatever becomes of the tests.
 */
if (findSupervisor(SYSTEM_LAB_DIRECTORY)) await stopLab(SYSTEM_LAB_DIRECTORY);
const onProgress = (text: string) => process.stderr.write(`lab: ${text}\n`);
await startLab({ directory: SYSTEM_LAB_DIRECTORY, scope: 'all', endsWithParent: true, tls: true, onProgress });
process.stdout.write('ready\n');
process.stdin.resume().once('end', async () => {
  await stopLab(SYSTEM_LAB_DIRECTORY);
  process.exit(0);
});
