import { EventEmitter } from 'node:events';
import { beforeEach, describe, expect, test } from 'vitest';
import { type Interrupt, messageOnLeaving, watchForInterrupt } from '../../cli/interrupt.ts';
import { plainPaint } from '../../cli/render.ts';
import type { Screen } from '../../cli/render-terminal.ts';
import type { World } from '../../cli/world.ts';
import { playedSignals } from './command.ts';

class Keys extends EventEmitter {
  readonly isTTY: boolean;
  raw = false;
  constructor(isTTY: boolean) {
    super();
    this.isTTY = isTTY;
  }
  setRawMode(raw: boolean): void {
    this.raw = raw;
  }
  resume(): void {}
  pause(): void {}
  press(key: string): void {
    this.emit('data', Buffer.from(key));
  }
}

let printed: string[] = [];
let question: string | undefined;
let signals: ReturnType<typeof playedSignals>;
let keys: Keys;
/** Fulfils the patience of who leaves. */
let elapse = (): void => undefined;

function watch(isTerminal: boolean): Interrupt {
  keys = new Keys(isTerminal);
  const screen: Screen = {
    ...{ paint: plainPaint, live: isTerminal, isTerminal, frame: () => undefined },
    print: (lines) => void printed.push(...lines),
    ask: (text) => {
      question = text;
    },
  };
  const clock: World['clock'] = {
    nowEpochMs: () => 0,
    monotonicMs: () => 0,
    sleep: (_milliseconds, signal) =>
      new Promise((resolve, reject) => {
        elapse = resolve;
        signal?.addEventListener('abort', reject);
        if (signal?.aborted) reject(new Error('aborted'));
      }),
  };
  const unused = {
    environment: {},
    stdout: { write: () => true },
    stderr: { write: () => true },
    exit: () => undefined,
  };
  return watchForInterrupt({ ...unused, stdin: keys, signals, clock }, screen);
}
const left = (interrupt: Interrupt) =>
  new Promise<void>((resolve) => interrupt.leave.addEventListener('abort', () => resolve()));

beforeEach(() => {
  printed = [];
  question = undefined;
  signals = playedSignals();
});

describe('on a terminal', () => {
  test('the first Ctrl-C asks and aborts nothing; yes aborts', () => {
    const { abort } = watch(true);
    signals.send('SIGINT');
    expect(question).toMatch(/^Abort the experiment\? \[y\/N\]/);
    expect([abort.aborted, keys.raw]).toEqual([false, true]);
    keys.press('y');
    expect([abort.aborted, keys.raw, question]).toEqual([true, false, undefined]);
  });

  test('any other answer goes on, and the next Ctrl-C asks again', () => {
    const { abort } = watch(true);
    for (const key of ['n', '\r', '\u001b']) {
      signals.send('SIGINT');
      keys.press(key);
      expect([abort.aborted, keys.raw, question]).toEqual([false, false, undefined]);
    }
    expect(printed).toContain('Not aborted; the experiment goes on.');
  });

  test('a question is open until it is answered, and a yes aborts before anybody goes on', async () => {
    for (const [key, isAborted] of [
      ['n', false],
      ['y', true],
    ] as const) {
      const { abort, answered } = watch(true);
      await answered();
      signals.send('SIGINT');
      let isAnswered = false;
      const waiting = answered().then(() => {
        isAnswered = true;
        return abort.aborted;
      });
      await Promise.resolve();
      expect(isAnswered).toBe(false);
      keys.press(key);
      expect(await waiting).toBe(isAborted);
      signals = playedSignals();
    }
  });

  test('a second Ctrl-C is a yes, as a key and as a signal', () => {
    const first = watch(true);
    signals.send('SIGINT');
    keys.press('\u0003');
    expect(first.abort.aborted).toBe(true);
    signals = playedSignals();
    const second = watch(true);
    signals.send('SIGINT');
    signals.send('SIGINT');
    expect(second.abort.aborted).toBe(true);
  });

  test('SIGTERM and SIGHUP ask nobody', () => {
    for (const signal of ['SIGTERM', 'SIGHUP'] as const) {
      signals = playedSignals();
      const { abort } = watch(true);
      signals.send(signal);
      expect([abort.aborted, question]).toEqual([true, undefined]);
    }
  });
});

test('without a terminal the first signal aborts, because nobody could answer', () => {
  const { abort, leave } = watch(false);
  signals.send('SIGINT');
  expect([abort.aborted, leave.aborted, question]).toEqual([true, false, undefined]);
});

test('once the abort was taken, another signal leaves and says that the rollback goes on', async () => {
  const interrupt = watch(true);
  signals.send('SIGTERM');
  interrupt.onAbortTaken();
  const end = left(interrupt);
  signals.send('SIGINT');
  await end;
  expect(printed.at(-1)).toMatch(/the abort was taken, and the rollback goes on without us/);
});

test('while the abort is not answered, another signal waits a little for the answer, and says that there was none', async () => {
  const interrupt = watch(false);
  signals.send('SIGINT');
  const end = left(interrupt);
  signals.send('SIGINT');
  expect(interrupt.leave.aborted).toBe(false);
  elapse();
  await end;
  expect(printed.at(-1)).toMatch(/not answered.*ends by its TTL/);
});

test('closing gives signals and keyboard back', () => {
  const interrupt = watch(true);
  signals.send('SIGINT');
  interrupt.close();
  expect([signals.count(), keys.raw, keys.listenerCount('data')]).toEqual([0, false, 0]);
});

test('who leaves is told whether the abort was taken', async () => {
  const clock = { nowEpochMs: () => 0, monotonicMs: () => 0, sleep: async () => undefined };
  expect(await messageOnLeaving(AbortSignal.abort(), clock)).toContain('the abort was taken');
  expect(await messageOnLeaving(new AbortController().signal, clock)).toContain('not answered');
});
