import type { EC2Client } from '@aws-sdk/client-ec2';
import {
  DeleteExperimentTemplateCommand,
  type Experiment,
  type ExperimentSummary,
  type ExperimentTarget,
  type ExperimentTemplateSummary,
  type FisClient,
  GetExperimentCommand,
  StopExperimentCommand,
} from '@aws-sdk/client-fis';
import type { Clock } from '../../domain/clock.ts';
import { REBOOT_INSTANCES } from '../../domain/faults/instance-reboot.ts';
import { TERMINATE_INSTANCES } from '../../domain/faults/instance-terminate.ts';
import type { FisFaults } from '../../domain/fis-fault.ts';
import { EXPERIMENT_TAG, FAULT_TAG, STACK_TAG } from '../../domain/names.ts';
import type { FisRollback } from '../../domain/workflow.ts';
import { isOver, isTagged, listExperiments, listTemplates } from './experiments.ts';
import { restoreTargets } from './restore-targets.ts';

const ONE_SHOT: readonly string[] = [TERMINATE_INSTANCES, REBOOT_INSTANCES];
const LOOK_AGAIN_MS = 1000;
/** What was announced and is not there may still be on its way: a request of the injection takes up to three tries. */
const SEARCH_MS = 10_000;
/** For what could not be asked. */
const UNKNOWN = 'unknown';

export interface FisRollBackDependencies {
  fis: FisClient;
  ec2: EC2Client;
  clock: Clock;
  /** Only what this deployment made is ended. */
  stackName: string;
}

type Found = ExperimentSummary &
  Pick<Experiment, 'targets' | 'actions' | 'endTime'> & {
    trouble?: string | undefined;
    /** Its targets were not back when it had ended already. */
    wasAway?: boolean;
    backAtEpochMs?: number;
  };

/** What was found so far, and what is still in the way of each thing. */
interface Finds {
  experiments: Found[];
  /** Of the last search. While there are any, a start may still succeed: the history has to be searched again. */
  templates: (ExperimentTemplateSummary & { trouble?: string | undefined })[];
  /** Tags of our templates, by id: an experiment is ours by its template also after that is deleted. */
  templateTags: Map<string | undefined, Record<string, string> | undefined>;
  hasSearched: boolean;
}

/**
 * The rollback through FIS: stop, delete the templates (after that no late start can succeed), restore the targets;
 * reconcile until converged. The history of the account is read only as long as something of ours
 * may still turn up in it.
 */
export function fisRollBack(dependencies: FisRollBackDependencies): Pick<FisFaults, 'rollBack'> {
  const { clock } = dependencies;
  return {
    async rollBack(experimentId, announced, deadlineMs) {
      const finds: Finds = { experiments: [], templates: [], templateTags: new Map(), hasSearched: false };
      const searchUntilMs = Math.min(clock.monotonicMs() + SEARCH_MS, deadlineMs);
      for (;;) {
        const unasked = await beforeDeadline(deadlineMs, clock, (signal) =>
          look(experimentId, finds, !hasSeen(finds, announced), signal, dependencies),
        );
        const isSought = hasSeen(finds, announced) || clock.monotonicMs() >= searchUntilMs;
        const isDone = unasked === undefined && finds.templates.length === 0 && finds.experiments.every(isBack);
        if ((isDone && isSought) || clock.monotonicMs() + LOOK_AGAIN_MS >= deadlineMs) return results(finds, unasked);
        await clock.sleep(LOOK_AGAIN_MS);
      }
    },
  };
}

/** Was every announced fault found? Where the log tells of none, anything counts. */
function hasSeen({ experiments, templateTags }: Finds, announced: readonly string[]): boolean {
  const seen = [...experiments.map(({ tags }) => tags), ...templateTags.values()].map((tags) => tags?.[FAULT_TAG]);
  return announced.length === 0 ? seen.length > 0 : announced.every((faultId) => seen.includes(faultId));
}

/** @returns why FIS could not be asked, or undefined */
async function beforeDeadline(
  deadlineMs: number,
  clock: Clock,
  act: (signal: AbortSignal) => Promise<void>,
): Promise<string | undefined> {
  const [late, answered] = [new AbortController(), new AbortController()];
  const timeout = clock.sleep(Math.max(0, deadlineMs - clock.monotonicMs()), answered.signal).then(
    () => 'no answer until the deadline',
    () => undefined,
  );
  const done = act(late.signal).then(
    () => undefined,
    (error: unknown) => String(error),
  );
  const first = await Promise.race([done, timeout]);
  answered.abort();
  late.abort();
  return first;
}

async function look(
  experimentId: string,
  finds: Finds,
  isMissing: boolean,
  signal: AbortSignal,
  dependencies: FisRollBackDependencies,
): Promise<void> {
  if (!finds.hasSearched || finds.templates.length > 0 || isMissing)
    await search(experimentId, finds, signal, dependencies);
  const { fis } = dependencies;
  [finds.experiments, finds.templates] = await Promise.all([
    Promise.all(finds.experiments.map((experiment) => stepBack(experiment, dependencies))),
    Promise.all(
      finds.templates.map(async (template) => ({
        ...template,
        trouble: await troubleOf(() => fis.send(new DeleteExperimentTemplateCommand({ id: template.id }))),
      })),
    ),
  ]);
}

/** Templates first: what was started before they went is in the history that is read after them. */
async function search(
  experimentId: string,
  finds: Finds,
  signal: AbortSignal,
  { fis, stackName }: FisRollBackDependencies,
): Promise<void> {
  const ours = { [STACK_TAG]: stackName, [EXPERIMENT_TAG]: experimentId };
  const templates = (await listTemplates(fis, signal)).filter((each) => isTagged(each, ours));
  const history = await listExperiments(fis, signal);
  for (const { id, tags } of templates) finds.templateTags.set(id, tags);
  const started = history.filter(
    (each) => isTagged(each, ours) || finds.templateTags.has(each.experimentTemplateId ?? ''),
  );
  const isListed = ({ id }: Found) => started.some((each) => each.id === id);
  const current = started.map((experiment): Found => {
    const tags = experiment.tags?.[FAULT_TAG]
      ? experiment.tags
      : finds.templateTags.get(experiment.experimentTemplateId);
    const known = finds.experiments.find(({ id }) => id === experiment.id);
    return { ...known, ...experiment, ...(tags ? { tags } : {}) };
  });
  finds.experiments = [...finds.experiments.filter((each) => !isListed(each)), ...current];
  finds.templates = templates;
  finds.hasSearched = true;
}

/** One step towards the end of one experiment. */
async function stepBack(known: Found, { fis, ec2, clock }: FisRollBackDependencies): Promise<Found> {
  let found = known;
  const trouble = await troubleOf(async () => {
    const { experiment } = await fis.send(new GetExperimentCommand({ id: known.id }));
    found = { ...known, ...experiment, ...(known.tags ? { tags: known.tags } : {}) };
    const status = found.state?.status;
    if (!isOver(status)) {
      if (status !== 'stopping') await fis.send(new StopExperimentCommand({ id: known.id }));
      return;
    }
    const away = await restoreTargets(ec2, restorable(found)).catch((error: unknown) => String(error));
    if (away !== undefined) {
      found.wasAway = true;
      throw new Error(away);
    }
    // The end that FIS tells is that of the fault only where everything was back by then.
    found.backAtEpochMs ??= found.wasAway || !found.endTime ? clock.nowEpochMs() : found.endTime.getTime();
  });
  return { ...found, trouble };
}

/** An instance that was terminated is gone for good, as was admitted. */
function restorable({ actions, targets = {} }: Found): ExperimentTarget[] {
  return isTermination(actions) ? [] : Object.values(targets);
}

/** Completed when it had begun, by the word of FIS, which does not know when the fault ended. */
function isOverAtOnce({ state, actions = {} }: Found): boolean {
  return (
    state?.status === 'completed' && Object.values(actions).some(({ actionId = '' }) => ONE_SHOT.includes(actionId))
  );
}

/** One that failed or was stopped may have reached some of them. */
function goneText(status: string | undefined): string {
  return status === 'completed' ? 'its instances are gone for good' : 'its instances may be gone for good';
}

function isTermination(actions: Found['actions']): boolean {
  return Object.values(actions ?? {}).some(({ actionId }) => actionId === TERMINATE_INSTANCES);
}

function isBack({ state, trouble }: Found): boolean {
  return isOver(state?.status) && trouble === undefined;
}

function results({ experiments, templates }: Finds, unasked: string | undefined): FisRollback[] {
  const failed = { fisExperimentId: UNKNOWN, state: UNKNOWN, outcome: 'FAILED' } as const;
  const left = new Map(
    templates.map(({ id, trouble }) => [id, `template ${id} is still there${trouble ? `: ${trouble}` : ''}`]),
  );
  const ofExperiments = experiments.map((experiment): FisRollback => {
    const { id, tags, state, trouble, backAtEpochMs, experimentTemplateId } = experiment;
    const template = left.get(experimentTemplateId);
    left.delete(experimentTemplateId);
    const isReverted = isBack(experiment) && template === undefined;
    const unfinished = isOver(state?.status) ? undefined : `not at its end${state?.reason ? `: ${state.reason}` : ''}`;
    // What FIS says of a failure is evidence also where everything is back.
    const reason = state?.status === 'failed' ? state.reason : undefined;
    const begun = Object.values(experiment.actions ?? {}).flatMap(({ startTime }) => startTime?.getTime() ?? []);
    const gone = isTermination(experiment.actions) && begun.length > 0 ? goneText(state?.status) : undefined;
    const detail = [unfinished, trouble, template, reason, gone].filter((part) => part !== undefined).join('; ');
    return {
      faultId: tags?.[FAULT_TAG] ?? UNKNOWN,
      fisExperimentId: id ?? UNKNOWN,
      state: state?.status ?? UNKNOWN,
      outcome: isReverted ? 'REVERTED' : 'FAILED',
      ...(begun.length === 0 || state?.status === 'failed'
        ? {}
        : { begunAt: new Date(Math.min(...begun)).toISOString() }),
      ...(backAtEpochMs === undefined || isOverAtOnce(experiment)
        ? {}
        : { endedAt: new Date(backAtEpochMs).toISOString() }),
      ...(detail === '' ? {} : { detail }),
    };
  });
  // A template that nothing was started from, or not as far as FIS tells: it could still be started.
  const ofTemplates = templates.flatMap(({ id, tags }): FisRollback[] => {
    const detail = left.get(id);
    return detail === undefined ? [] : [{ ...failed, faultId: tags?.[FAULT_TAG] ?? UNKNOWN, detail }];
  });
  const ofFis =
    unasked === undefined ? [] : [{ ...failed, faultId: UNKNOWN, detail: `FIS could not be asked: ${unasked}` }];
  return [...ofExperiments, ...ofTemplates, ...ofFis];
}

/** The next look shows whether it helped; until then its failure is the reason. */
async function troubleOf(act: () => Promise<unknown>): Promise<string | undefined> {
  try {
    await act();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
