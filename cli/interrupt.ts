import type { Clock } from '../functions/domain/clock.ts';
import type { Screen } from './render-terminal.ts';
import { END_SIGNALS, type EndSignal, type World } from './world.ts';

/** What Ctrl-C and the other ends of a process mean while an experiment runs. */
export interface Interrupt {
  /** Aborted: the experiment is to be aborted, and followed until it is rolled back. */
  abort: AbortSignal;
  /** Aborted: nobody waits for its end any longer. */
  leave: AbortSignal;
  /** When no question is open: nothing is started while somebody reads one. */
  answered(): Promise<void>;
  /** To be called when the API has taken the abort: the rollback no longer needs us. */
  onAbortTaken(): void;
  /** Gives signals and keyboard back. */
  close(): void;
}

/** When a user leaves before his abort was answered: how long that answer is still waited for. */
const ABORT_PATIENCE_MS = 2_000;
const CTRL_C = '\u0003';
const MEANWHILE = '[y/N] (what runs goes on meanwhile, and nothing is started; Ctrl-C once more aborts)';

/**
 * On a terminal the first Ctrl-C asks, and a second one aborts; elsewhere, and for SIGTERM and SIGHUP, the first one aborts:
 * there is nobody to ask. Once the experiment is being aborted, another one leaves.
 * @param question what a yes does
 */
export function watchForInterrupt(world: World, screen: Screen, question = 'Abort the experiment?'): Interrupt {
  const { stdin, clock } = world;
  const abort = new AbortController();
  const leave = new AbortController();
  const taken = new AbortController();
  const canAsk = screen.isTerminal && stdin.isTTY === true && stdin.setRawMode !== undefined;
  let asking = false;
  let onAnswer: (() => void)[] = [];
  let leaving = false;

  const endQuestion = (): void => {
    if (!asking) return;
    asking = false;
    screen.ask(undefined);
    stdin.off('data', onKey);
    stdin.setRawMode?.(false);
    stdin.pause();
    for (const resolve of onAnswer) resolve();
    onAnswer = [];
  };
  const ask = (): void => {
    asking = true;
    screen.ask(`${question} ${MEANWHILE}`);
    // One key is the answer; without an end of line to wait for, and the frame may be redrawn meanwhile.
    stdin.setRawMode?.(true);
    stdin.on('data', onKey);
    stdin.resume();
  };
  const abortOrLeave = (): void => {
    endQuestion();
    if (!abort.signal.aborted) {
      screen.print(['Aborting; once more leaves without waiting for the rollback.']);
      abort.abort();
    } else if (!leaving) {
      leaving = true;
      void messageOnLeaving(taken.signal, clock).then((text) => {
        screen.print([text]);
        leave.abort();
      });
    }
  };
  const onKey = (key: Buffer): void => {
    const pressed = key.toString('utf8');
    if (pressed.includes(CTRL_C) || /^y/i.test(pressed)) abortOrLeave();
    else {
      endQuestion();
      screen.print(['Not aborted; the experiment goes on.']);
    }
  };
  const onSignal = (signal: EndSignal): void => {
    if (signal === 'SIGINT' && canAsk && !asking && !abort.signal.aborted) ask();
    else abortOrLeave();
  };
  for (const signal of END_SIGNALS) world.signals.on(signal, onSignal);
  return {
    abort: abort.signal,
    leave: leave.signal,
    answered: async () => {
      if (asking) await new Promise<void>((resolve) => onAnswer.push(resolve));
    },
    onAbortTaken: () => taken.abort(),
    close: () => {
      endQuestion();
      for (const signal of END_SIGNALS) world.signals.off(signal, onSignal);
    },
  };
}

/** @returns what becomes of the experiment, once the API took the abort or has not for ABORT_PATIENCE_MS. */
export async function messageOnLeaving(abortTaken: AbortSignal, clock: Clock): Promise<string> {
  // Rejects as soon as the abort is taken.
  await clock.sleep(ABORT_PATIENCE_MS, abortTaken).catch(() => undefined);
  return abortTaken.aborted
    ? 'Left: the abort was taken, and the rollback goes on without us.'
    : 'Left: the abort was not answered; if the experiment has begun, it ends by its TTL at the latest, or by `holdfast abort` before.';
}
