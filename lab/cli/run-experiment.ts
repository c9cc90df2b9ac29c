import type { Clock } from '../../functions/domain/clock.ts';
import { systemClock } from '../../functions/runtime/system-clock.ts';
import type { ApiConnection } from '../runtime/lab-file.ts';
import { type ApiAnswer, type ApiClient, createApiClient, EXPERIMENTS_PATH } from './api-client.ts';
import {
  dryRunSchema,
  type ExperimentDocument,
  experimentSchema,
  isRolledBack,
  statusSchema,
} from './api-documents.ts';
import { followExperiment, renderAnswer } from './follow.ts';
import { experimentIdOf } from './payload.ts';
import { renderDryRun, renderVerdict } from './render-result.ts';
import { createScreen, type Screen } from './render-terminal.ts';

export const EXIT = { succeeded: 0, failed: 1, refused: 2, interrupted: 130 } as const;

export interface RunOptions {
  /** The text that is posted. */
  payload: string;
  /** True: stdout gets exactly one JSON document, and progress goes to stderr. */
  json: boolean;
  /** Aborted by the first Ctrl-C: the experiment is aborted through the API and followed to its end. */
  signal: AbortSignal;
  /** Called when the API has taken the abort. */
  onAbortTaken: () => void;
  lab: ApiConnection;
}

export interface RunPorts {
  client: ApiClient;
  clock: Clock;
  screen: Screen;
  /** Receives the one document of `--json`. */
  writeDocument(document: unknown): void;
  /** The API has taken the abort: the rollback no longer needs us. */
  onAbortTaken(): void;
}

/** Runs one experiment as a user of the API would. @returns the process's exit code, see `EXIT`. */
export async function runExperiment(options: RunOptions): Promise<number> {
  const client = createApiClient(options.lab);
  const screen = createScreen(options.json ? process.stderr : process.stdout, process.env);
  try {
    return await drive(options.payload, options.signal, {
      client,
      clock: systemClock,
      screen,
      onAbortTaken: options.onAbortTaken,
      writeDocument: (document) => {
        if (options.json) process.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
      },
    });
  } finally {
    client.close();
  }
}

/**
 * Dry run, start, follow to the end, report. A started experiment is never left: whatever goes wrong with our own
 * calls, it is followed until it is over or the API has been silent for long.
 */
export async function drive(payload: string, signal: AbortSignal, ports: RunPorts): Promise<number> {
  const { client, screen } = ports;
  const experimentId = experimentIdOf(payload);
  const path = `${EXPERIMENTS_PATH}/${encodeURIComponent(experimentId)}`;

  const known = await client.call('GET', `${path}/status`);
  if (known.status === 200) {
    const { status } = statusSchema.parse(known.body);
    screen.print([
      `${experimentId} was started before in this lab and is ${status}; an id runs once, so nothing was started now.`,
      'What follows is that run. To run it again, give the file another experimentId.',
    ]);
    const before = experimentSchema.parse((await client.call('GET', path)).body);
    screen.print(renderVerdict(before, screen.paint));
    ports.writeDocument({ ...summary(before), startedNow: false });
    return EXIT.refused;
  }

  screen.print([screen.paint('bold', `${experimentId}: dry run`)]);
  const dryRun = await client.call('POST', `${EXPERIMENTS_PATH}?dryRun=true`, payload);
  if (dryRun.status !== 200) return refused(experimentId, dryRun, ports);
  screen.print(renderDryRun(dryRunSchema.parse(dryRun.body), screen.paint));
  if (signal.aborted) {
    screen.print(['Interrupted before the start: nothing was touched.']);
    ports.writeDocument({ experimentId, status: 'NOT_STARTED' });
    return EXIT.interrupted;
  }

  screen.print([screen.paint('bold', `${experimentId}: starting`)]);
  const start = client.call('POST', EXPERIMENTS_PATH, payload);
  const end = await followExperiment(path, start, signal, ports);
  if (end.kind === 'refused') return refused(experimentId, end.answer, ports);
  if (end.kind === 'lost') {
    screen.print([screen.paint('bad', end.reason)]);
    ports.writeDocument({ experimentId, status: 'UNKNOWN', reason: end.reason });
    return EXIT.failed;
  }
  screen.print(renderVerdict(end.document, screen.paint));
  ports.writeDocument(summary(end.document));
  if (signal.aborted) return EXIT.interrupted;
  return succeeded(end.document) ? EXIT.succeeded : EXIT.failed;
}

/** COMPLETED and CONFIRMED are the control plane's words; the evidence behind them is asked for as well. */
export function succeeded(document: ExperimentDocument): boolean {
  const nodes = document.nodes ?? [];
  const happened = new Set(document.timeline.map((entry) => entry.type));
  return (
    document.status === 'COMPLETED' &&
    document.outcome === 'CONFIRMED' &&
    happened.has('ROLLED_BACK') &&
    happened.has('RECOVERY_VERIFIED') &&
    nodes.length > 0 &&
    nodes.every((node) => isRolledBack(node) && node.outcome === 'REVERTED' && node.leftovers.length === 0)
  );
}

function refused(experimentId: string, answer: ApiAnswer, ports: RunPorts): number {
  ports.screen.print(renderAnswer(answer, ports.screen.paint));
  ports.writeDocument({ experimentId, status: 'REFUSED', problem: answer.body });
  return EXIT.refused;
}

/** The API calls its list of audit records `record`; a list has a plural here. */
function summary(document: ExperimentDocument): Record<string, unknown> {
  const { experimentId, status, outcome, budgets, record: records, timeline, nodes } = document;
  return { experimentId, status, outcome, budgets, records, timeline, nodes };
}
