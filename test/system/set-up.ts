import type { FleetName } from '../../lab/fleet/fleet.ts';
import { findSupervisor, startLab, stopLab } from '../../lab/runtime/lifecycle.ts';
import { SYSTEM_LAB_DIRECTORY } from './directory.ts';

/** Starts the lab of a whole tier. It ends with this process whatever becomes of the tests. @returns what ends it */
export async function startSystemLab(
  engines: readonly FleetName[],
  onProgress: (text: string) => void = (text) => process.stdout.write(`lab: ${text}\n`),
): Promise<() => Promise<void>> {
  // As often as AMP would is for the exhaustive tests, which deploy the rules anew.
  process.env.LAB_RULE_INTERVAL_SECONDS ??= '5';
  if (findSupervisor(SYSTEM_LAB_DIRECTORY)) await stopLab(SYSTEM_LAB_DIRECTORY);
  await startLab({ directory: SYSTEM_LAB_DIRECTORY, scope: 'all', endsWithParent: true, engines, onProgress });
  return async () => {
    await stopLab(SYSTEM_LAB_DIRECTORY);
  };
}
