import type { Clock } from '../functions/domain/clock.ts';
import { systemClock } from '../functions/runtime/system-clock.ts';
import type { ScreenOutput } from './render-terminal.ts';

/** The process around a command, as far as it uses it. */
export interface World {
  environment: Readonly<Record<string, string | undefined>>;
  stdout: ScreenOutput;
  stderr: ScreenOutput;
  stdin: Keyboard;
  signals: SignalSource;
  clock: Clock;
  /** How the process will end, once nothing is left to do. */
  exit(code: number): void;
}

export interface Keyboard {
  isTTY?: boolean;
  setRawMode?(raw: boolean): unknown;
  on(event: 'data', listener: (data: Buffer) => void): unknown;
  off(event: 'data', listener: (data: Buffer) => void): unknown;
  resume(): unknown;
  pause(): unknown;
}

export const END_SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
export type EndSignal = (typeof END_SIGNALS)[number];

export interface SignalSource {
  on(signal: EndSignal, listener: (signal: EndSignal) => void): unknown;
  off(signal: EndSignal, listener: (signal: EndSignal) => void): unknown;
}

export function systemWorld(): World {
  // Whoever reads our output may go away; the experiment is followed all the same.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  return {
    environment: process.env,
    stdout: process.stdout,
    stderr: process.stderr,
    stdin: process.stdin,
    signals: process,
    clock: systemClock,
    exit: (code) => {
      process.exitCode = code;
    },
  };
}
