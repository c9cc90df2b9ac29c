import type { RequestedExperiment } from '../../functions/domain/experiment.ts';
import { DEFAULT_FLEETS, type FleetName, fleetsTagged, optionsFor } from '../fleet/fleet.ts';
import configuration from '../holdfast.config.ts';

/** What a lab must have for an experiment. A cluster that nobody knows is for the API to refuse. */
export function enginesFor({ faults }: RequestedExperiment): readonly FleetName[] {
  const names = new Set(faults.map(({ cluster }) => cluster));
  const clusters = Object.entries(configuration.clusters).filter(([name]) => names.has(name));
  const needed = fleetsTagged(clusters.map(([, { selectTags }]) => selectTags));
  return needed.length > 0 ? needed : DEFAULT_FLEETS;
}

/** @throws Error with the commands that help, when the lab that is up lacks one of them. */
export function refuseWithout(needed: readonly FleetName[], present: readonly FleetName[]): void {
  const missing = needed.filter((name) => !present.includes(name));
  if (missing.length === 0) return;
  const command = ['npm run lab -- up', optionsFor([...present, ...missing])].join(' ');
  throw new Error(`the lab that is up has no ${missing.join()}: \`npm run lab -- down\`, then \`${command}\``);
}
