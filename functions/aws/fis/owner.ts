import { type FisClient, GetExperimentCommand } from '@aws-sdk/client-fis';
import { EXPERIMENT_TAG, FAULT_TAG, STACK_TAG } from '../../domain/names.ts';
import { isTagged } from './experiments.ts';

/** Of one that is not this stack's, the role may not read; one that is gone is nobody's. */
const NOT_OURS: readonly string[] = ['AccessDeniedException', 'ResourceNotFoundException'];

/**
 * Whose fault a FIS experiment is, by its tags; undefined when it is none of this stack.
 * @throws the service's error: then nobody knows
 */
export async function ownerOf(
  fis: FisClient,
  stackName: string,
  fisExperimentId: string,
): Promise<{ experimentId: string; faultId: string } | undefined> {
  try {
    const { experiment } = await fis.send(new GetExperimentCommand({ id: fisExperimentId }));
    if (!experiment || !isTagged(experiment, { [STACK_TAG]: stackName })) return undefined;
    const { [EXPERIMENT_TAG]: experimentId, [FAULT_TAG]: faultId } = experiment.tags ?? {};
    return experimentId && faultId ? { experimentId, faultId } : undefined;
  } catch (error) {
    if (error instanceof Error && NOT_OURS.includes(error.name)) return undefined;
    throw error;
  }
}
