import { type ExperimentSummary, type FisClient, paginateListExperiments } from '@aws-sdk/client-fis';

/** FIS allows so many active experiments in an account and Region, whoever started them; nobody can raise it. */
export const ACTIVE_EXPERIMENTS_QUOTA = 5;
const PAGE_SIZE = 100;

/** The four ends. The client's types lack `cancelled`: it is what the safety lever makes of a start. */
const OVER: readonly string[] = ['completed', 'failed', 'stopped', 'cancelled'];

/** A state that is not known is not an end. */
export function isOver(state: string | undefined): boolean {
  return state !== undefined && OVER.includes(state);
}

/** All that FIS remembers, of anybody. @throws the service's error */
export async function listExperiments(fis: FisClient): Promise<ExperimentSummary[]> {
  const found: ExperimentSummary[] = [];
  for await (const page of paginateListExperiments({ client: fis, pageSize: PAGE_SIZE }, {})) {
    found.push(...(page.experiments ?? []));
  }
  return found;
}

/** How many of `ACTIVE_EXPERIMENTS_QUOTA` are in use now. @throws the service's error */
export async function activeServiceExperiments(fis: FisClient): Promise<number> {
  return (await listExperiments(fis)).filter(({ state }) => !isOver(state?.status)).length;
}
