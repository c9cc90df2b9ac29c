import { setTimeout as delay } from 'node:timers/promises';
import { type ApiConnection, createApiClient } from '../../cli/api-client.ts';
import { type ExperimentText, readExperiment } from '../../cli/experiment-file.ts';
import { messageOnLeaving } from '../../cli/interrupt.ts';
import { createScreen } from '../../cli/render-terminal.ts';
import { type RunWishes, runExperiment } from '../../cli/run-experiment.ts';
import { systemClock } from '../../functions/runtime/system-clock.ts';
import { connectionOf, readLab } from '../runtime/lab-file.ts';
import { findSupervisor, readStatus, reservation, startLab, stopLab } from '../runtime/lifecycle.ts';
import { readViolations } from '../shared/files.ts';
import { enginesFor, refuseWithout } from './engines.ts';
import { EXIT, exitCodeOf } from './exit-codes.ts';

const WATCH_INTERVAL_MS = 500;
/** How long an experiment may take to roll back after a part of the lab has died, before the whole lab goes. */
const ROLLBACK_PATIENCE_MS = 30_000;
/** Who leaves ends this process. */
const NEVER = new AbortController().signal;

/**
 * Runs one experiment in the lab that is up, or in a fresh one that is gone afterwards, whatever happens: the first
 * Ctrl-C aborts the experiment through the API, a second one ends the lab at once, and `kill -9` ends it too. In a lab
 * that was up before, the second one only leaves: the rollback goes on there.
 * @returns the exit code for the shell.
 * @throws UsageError when the file is no valid experiment, before anything is started; Error when the lab there is still
 * starting, or cannot be started.
 */
export async function runCommand(
  directory: string,
  options: { file: string; json: boolean },
  say: (text: string) => void,
): Promise<number> {
  const experiment = readExperiment(options.file);
  const supervisor = findSupervisor(directory);
  const isOurs = supervisor === undefined;
  const reserved = supervisor && reservation(directory, supervisor);
  if (reserved?.isReady === false) throw new Error(reserved.text);
  if (reserved !== undefined) say(reserved.text);
  const engines = enginesFor(experiment.experiment);
  if (!isOurs) refuseWithout(engines, readLab(directory).engines);
  const interrupt = new AbortController();
  const abortTaken = new AbortController();
  let isRunning = false;
  const leave = async (): Promise<void> => {
    if (isOurs) await stopLab(directory);
    else say(await messageOnLeaving(abortTaken.signal, systemClock));
  };
  const onSignal = (): void => {
    if (isRunning && !interrupt.signal.aborted) {
      say(`interrupted: rolling back; once more to ${isOurs ? 'end the lab at once' : 'leave without waiting for it'}`);
      interrupt.abort();
      return;
    }
    void leave().finally(() => process.exit(EXIT.interrupted));
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
  try {
    if (isOurs) await startLab({ directory, scope: 'all', endsWithParent: true, engines, onProgress: say });
    isRunning = true;
    const lab = connectionOf(readLab(directory));
    const wishes: RunWishes = {
      ...{ abort: interrupt.signal, leave: NEVER, onAbortTaken: () => abortTaken.abort() },
      // Nobody is asked anything.
      answered: async () => undefined,
    };
    return await abortIfLabBreaks(directory, interrupt, say, runAsUser(experiment, options.json, lab, wishes));
  } finally {
    if (isOurs) await stopLab(directory);
  }
}

/** Runs one experiment as a user of the API would. */
async function runAsUser(
  experiment: ExperimentText,
  json: boolean,
  lab: ApiConnection,
  wishes: RunWishes,
): Promise<number> {
  const client = createApiClient(lab);
  const screen = createScreen(json ? process.stderr : process.stdout, process.env);
  const writeDocument = (document: unknown): void => {
    if (json) process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
  };
  try {
    const end = await runExperiment(experiment, wishes, { client, screen, writeDocument, clock: systemClock });
    return exitCodeOf(end, wishes.abort.aborted);
  } finally {
    client.close();
  }
}

/** An experiment in a lab with a dead part, or one that is not like AWS, proves nothing: it is aborted and counts as failed. */
async function abortIfLabBreaks(
  directory: string,
  interrupt: AbortController,
  say: (text: string) => void,
  experiment: Promise<number>,
): Promise<number> {
  const stopWatching = new AbortController();
  const broken = watchForBreak(directory, stopWatching.signal);
  try {
    const first = await Promise.race([experiment, broken]);
    if (typeof first === 'number') return breakIn(directory) === undefined ? first : failed(directory, say);
    say(`the lab is broken: ${first}`);
    interrupt.abort();
    await Promise.race([experiment.catch(() => undefined), delay(ROLLBACK_PATIENCE_MS, undefined, { ref: false })]);
    return EXIT.failed;
  } finally {
    stopWatching.abort();
  }
}

function failed(directory: string, say: (text: string) => void): number {
  say(`the lab is broken: ${breakIn(directory)}`);
  return EXIT.failed;
}

function breakIn(directory: string): string | undefined {
  if (findSupervisor(directory) === undefined) return 'it has ended';
  const death = Object.values(readStatus(directory)).find((part) => part.state === 'died')?.reason;
  const [violation] = readViolations(directory);
  return death ?? (violation && `AWS would not have said this, or not have taken it: ${violation}`);
}

async function watchForBreak(directory: string, signal: AbortSignal): Promise<string> {
  while (!signal.aborted) {
    const broken = breakIn(directory);
    if (broken !== undefined) return broken;
    await delay(WATCH_INTERVAL_MS);
  }
  return 'no longer watched';
}
