import {
  type ExperimentSummary,
  type ExperimentTemplateSummary,
  type FisClient,
  paginateListExperiments,
  paginateListExperimentTemplates,
} from '@aws-sdk/client-fis';

/** FIS allows so many active experiments in an account and Region, whoever started them; nobody can raise it. */
export const ACTIVE_EXPERIMENTS_QUOTA = 5;
const PAGE_SIZE = 100;

/** The four ends. The client's types lack `cancelled`: it is what the safety lever makes of a start. */
const OVER: readonly string[] = ['completed', 'failed', 'stopped', 'cancelled'];

/** A state that is not known is not an end. */
export function isOver(state: string | undefined): boolean {
  return state !== undefined && OVER.includes(state);
}

/** What has all these tags. */
export function isTagged({ tags }: { tags?: Record<string, string> | undefined }, wanted: object): boolean {
  return Object.entries(wanted).every(([key, value]) => tags?.[key] === value);
}

/** All that FIS remembers, of anybody: a history of months. @throws the service's error */
export async function listExperiments(fis: FisClient, abortSignal?: AbortSignal): Promise<ExperimentSummary[]> {
  const found: ExperimentSummary[] = [];
  const options = abortSignal ? [{ abortSignal }] : [];
  for await (const page of paginateListExperiments({ client: fis, pageSize: PAGE_SIZE }, {}, ...options)) {
    found.push(...(page.experiments ?? []));
  }
  return found;
}

/** @throws the service's error */
export async function listTemplates(fis: FisClient, abortSignal?: AbortSignal): Promise<ExperimentTemplateSummary[]> {
  const found: ExperimentTemplateSummary[] = [];
  const options = abortSignal ? [{ abortSignal }] : [];
  for await (const page of paginateListExperimentTemplates({ client: fis, pageSize: PAGE_SIZE }, {}, ...options)) {
    found.push(...(page.experimentTemplates ?? []));
  }
  return found;
}

/** How many of `ACTIVE_EXPERIMENTS_QUOTA` are in use now. @throws the service's error */
export async function activeFisExperiments(fis: FisClient): Promise<number> {
  return (await listExperiments(fis)).filter(({ state }) => !isOver(state?.status)).length;
}
