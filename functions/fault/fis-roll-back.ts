import type { EC2Client } from '@aws-sdk/client-ec2';
import {
  DeleteExperimentTemplateCommand,
  type Experiment,
  type ExperimentSummary,
  type ExperimentTemplateSummary,
  type FisClient,
  GetExperimentCommand,
  paginateListExperimentTemplates,
  StopExperimentCommand,
} from '@aws-sdk/client-fis';
import type { ServiceRollback } from '../experiment/workflow.ts';
import type { Clock } from '../shared/clock.ts';
import { isOver, listExperiments } from './fis-experiments.ts';
import { bringBack } from './fis-targets.ts';
import { EXPERIMENT_TAG, FAULT_TAG } from './fis-template.ts';
import type { ServiceFaults } from './service-faults.ts';

const LOOK_AGAIN_MS = 1000;
const PAGE_SIZE = 100;
/** For what could not be asked. */
const UNKNOWN = 'unknown';

export interface FisRollBackDependencies {
  fis: FisClient;
  ec2: EC2Client;
  clock: Clock;
}

/** What one look found, and what is still in the way of each thing. */
interface Look {
  experiments: (ExperimentSummary & { trouble?: string; endedAt?: Date })[];
  templates: (ExperimentTemplateSummary & { trouble?: string })[];
}

/** Tags of our templates, by id: an experiment is ours by its template also after that is deleted. */
type TemplatesSeen = Map<string | undefined, Record<string, string> | undefined>;

/**
 * The way back through FIS: stop, delete the templates (after that no late start can succeed), bring the targets back;
 * look again until a look finds nothing left to do.
 */
export function fisRollBack(dependencies: FisRollBackDependencies): Pick<ServiceFaults, 'rollBack'> {
  const { clock } = dependencies;
  return {
    async rollBack(experimentId, deadlineMs) {
      const seen: TemplatesSeen = new Map();
      for (;;) {
        const found = await look(experimentId, seen, dependencies).catch((error: unknown) => String(error));
        const isDone = typeof found !== 'string' && found.templates.length === 0 && found.experiments.every(isBack);
        if (isDone || clock.monotonicMs() + LOOK_AGAIN_MS >= deadlineMs) return results(found);
        await clock.sleep(LOOK_AGAIN_MS);
      }
    },
  };
}

async function look(experimentId: string, seen: TemplatesSeen, dependencies: FisRollBackDependencies): Promise<Look> {
  const { fis } = dependencies;
  const [templates, experiments] = await Promise.all([listTemplates(fis), listExperiments(fis)]);
  const ours = templates.filter(({ tags }) => tags?.[EXPERIMENT_TAG] === experimentId);
  for (const { id, tags } of ours) seen.set(id, tags);
  const started = experiments.filter(
    ({ tags, experimentTemplateId }) => tags?.[EXPERIMENT_TAG] === experimentId || seen.has(experimentTemplateId),
  );
  const [ended, deleted] = await Promise.all([
    Promise.all(
      started.map(async (experiment) => {
        const tags = experiment.tags?.[FAULT_TAG] ? experiment.tags : seen.get(experiment.experimentTemplateId);
        return { ...experiment, ...(tags ? { tags } : {}), ...(await end(experiment, dependencies)) };
      }),
    ),
    Promise.all(
      ours.map(async (template) => ({
        ...template,
        ...(await attempt(() => fis.send(new DeleteExperimentTemplateCommand({ id: template.id })))),
      })),
    ),
  ]);
  return { experiments: ended, templates: deleted };
}

/** One step towards the end of one experiment. */
async function end(
  { id, state }: ExperimentSummary,
  { fis, ec2 }: FisRollBackDependencies,
): Promise<{ trouble?: string; endedAt?: Date }> {
  if (!isOver(state?.status)) {
    if (state?.status === 'stopping') return {};
    return attempt(() => fis.send(new StopExperimentCommand({ id })));
  }
  let detail: Experiment | undefined;
  const { trouble } = await attempt(async () => {
    detail = (await fis.send(new GetExperimentCommand({ id }))).experiment;
    const away = await bringBack(ec2, Object.values(detail?.targets ?? {}));
    if (away !== undefined) throw new Error(away);
  });
  return { ...(trouble === undefined ? {} : { trouble }), ...(detail?.endTime ? { endedAt: detail.endTime } : {}) };
}

function isBack({ state, trouble }: Look['experiments'][number]): boolean {
  return isOver(state?.status) && trouble === undefined;
}

function results(found: Look | string): ServiceRollback[] {
  if (typeof found === 'string') {
    const detail = `FIS could not be asked: ${found}`;
    return [{ faultId: UNKNOWN, fisExperimentId: UNKNOWN, state: UNKNOWN, outcome: 'FAILED', detail }];
  }
  const { experiments, templates } = found;
  const left = new Map(
    templates.map(({ id, trouble }) => [id, `template ${id} is still there${trouble ? `: ${trouble}` : ''}`]),
  );
  const ofExperiments = experiments.map((experiment): ServiceRollback => {
    const { id, tags, state, trouble, endedAt, experimentTemplateId } = experiment;
    const template = left.get(experimentTemplateId);
    left.delete(experimentTemplateId);
    const isReverted = isBack(experiment) && template === undefined;
    const unfinished = isOver(state?.status) ? undefined : `not at its end${state?.reason ? `: ${state.reason}` : ''}`;
    // What FIS says of a failure is evidence also where everything is back.
    const reason = state?.status === 'failed' ? state.reason : undefined;
    const detail = [unfinished, trouble, template, reason].filter((part) => part !== undefined).join('; ');
    return {
      faultId: tags?.[FAULT_TAG] ?? UNKNOWN,
      fisExperimentId: id ?? UNKNOWN,
      state: state?.status ?? UNKNOWN,
      outcome: isReverted ? 'REVERTED' : 'FAILED',
      ...(endedAt ? { endedAt: endedAt.toISOString() } : {}),
      ...(detail === '' ? {} : { detail }),
    };
  });
  // A template that nothing was started from, or not as far as FIS tells: it could still be started.
  const ofTemplates = templates.flatMap(({ id, tags }): ServiceRollback[] => {
    const detail = left.get(id);
    if (detail === undefined) return [];
    return [
      { faultId: tags?.[FAULT_TAG] ?? UNKNOWN, fisExperimentId: UNKNOWN, state: UNKNOWN, outcome: 'FAILED', detail },
    ];
  });
  return [...ofExperiments, ...ofTemplates];
}

async function listTemplates(fis: FisClient): Promise<ExperimentTemplateSummary[]> {
  const found: ExperimentTemplateSummary[] = [];
  for await (const page of paginateListExperimentTemplates({ client: fis, pageSize: PAGE_SIZE }, {})) {
    found.push(...(page.experimentTemplates ?? []));
  }
  return found;
}

/** The next look shows whether it helped; until then its failure is the reason. */
async function attempt(act: () => Promise<unknown>): Promise<{ trouble?: string }> {
  try {
    await act();
    return {};
  } catch (error) {
    return { trouble: error instanceof Error ? error.message : String(error) };
  }
}
