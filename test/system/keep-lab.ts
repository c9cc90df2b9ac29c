import { startSystemLab } from './set-up.ts';
import { ENGINES } from './set-up-redis.ts';

/**
 * Starts the lab of the system tests, says `ready` and keeps it until its input ends: test/run.ts starts it beside the
 * tiers before.
 */
const stop = await startSystemLab(ENGINES, (text) => process.stderr.write(`lab: ${text}\n`));
process.stdout.write('ready\n');
process.stdin.resume().once('end', async () => {
  await stop();
  process.exit(0);
});
