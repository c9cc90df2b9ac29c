import type { KillSwitch } from '../domain/kill-switch.ts';
import { problem } from '../domain/problem.ts';
import type { KillSwitches } from '../tables/kill-switches.ts';
import { type Answer, refusal } from './answer.ts';

/**
 * `GET …/kill-switch`: every switch, that of all first; with `?cluster=` that of all and this cluster's, which is what
 * decides whether an experiment may start there.
 */
export async function getKillSwitch(
  clusters: readonly string[],
  { switches }: { switches: Pick<KillSwitches, 'read'> },
): Promise<Answer> {
  try {
    const read: KillSwitch[] = await switches.read(clusters);
    return { status: 200, body: { engaged: read.some(({ engaged }) => engaged), switches: read } };
  } catch (error) {
    const detail = `the kill switch could not be read, and unknown counts as engaged: ${String(error)}`;
    return refusal(problem('control-plane-unknown', detail));
  }
}
