import { DeleteExperimentTemplateCommand, type FisClient, StopExperimentCommand } from '@aws-sdk/client-fis';
import type { Leases } from '../../tables/leases.ts';
import { isOver, isTagged, listExperiments, listTemplates } from './experiments.ts';

export interface AmbiguousStart {
  experimentId: string;
  /** All tags of the fault. */
  tags: Record<string, string>;
  fis: FisClient;
  leases: Pick<Leases, 'read'>;
}

/**
 * After a request to FIS whose answer is missing: it may have been done all the same. While the lease is held, the
 * rollback is still to come and finds it by its tags. Otherwise that may be over already, so what the tags find is ended
 * here.
 * @throws the given error always, with the cleanup failures appended.
 */
export async function cleanUpAmbiguousStart(
  error: unknown,
  { experimentId, tags, fis, leases }: AmbiguousStart,
): Promise<never> {
  const lease = await leases.read(experimentId).catch(() => undefined);
  if (lease?.state === 'HOLD') throw error;
  try {
    const templates = (await listTemplates(fis)).filter((each) => isTagged(each, tags));
    await all(templates.map(({ id }) => fis.send(new DeleteExperimentTemplateCommand({ id }))));
    const experiments = (await listExperiments(fis)).filter((each) => isTagged(each, tags));
    const living = experiments.filter(({ state }) => !isOver(state?.status));
    await all(living.map(({ id }) => fis.send(new StopExperimentCommand({ id }))));
  } catch (trouble) {
    throw appended(error, `what it may have begun could not be ended: ${String(trouble)}`);
  }
  throw error;
}

/** @returns the given error, with the reason in its words when the template could not be deleted. */
export async function deleteTemplate(fis: FisClient, id: string, error: unknown): Promise<unknown> {
  try {
    await fis.send(new DeleteExperimentTemplateCommand({ id }));
    return error;
  } catch (trouble) {
    return appended(error, `template ${id} could not be deleted: ${String(trouble)}`);
  }
}

/** Every one is tried. @throws the first failure */
async function all(acts: Promise<unknown>[]): Promise<void> {
  const failed = (await Promise.allSettled(acts)).find((act) => act.status === 'rejected');
  if (failed) throw failed.reason;
}

function appended(error: unknown, words: string): unknown {
  if (!(error instanceof Error)) return new Error(`${String(error)}; ${words}`);
  error.message += `; ${words}`;
  return error;
}
