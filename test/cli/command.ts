import { createServer, type Server } from 'node:http';
import { COMMANDS } from '../../cli/commands.ts';
import { createProgram, runProgram } from '../../cli/program.ts';
import type { EndSignal, World } from '../../cli/world.ts';
import { listening } from '../functions/listening.ts';

/** The command with its process played, for tests. */
export interface Ran {
  code: number | undefined;
  stdout: string;
  stderr: string;
}

/** @param environment all there is for the command itself, but for a region; AWS's credential chain reads the process's */
export async function holdfast(
  argv: readonly string[],
  environment: Record<string, string> = {},
  changes: Partial<World> = {},
): Promise<Ran> {
  const ran: Ran = { code: undefined, stdout: '', stderr: '' };
  const world: World = {
    environment: { AWS_REGION: 'eu-west-1', ...environment },
    stdout: { write: (text) => (ran.stdout += text) },
    stderr: { write: (text) => (ran.stderr += text) },
    stdin: { on: () => undefined, off: () => undefined, resume: () => undefined, pause: () => undefined },
    signals: { on: () => undefined, off: () => undefined },
    // Seconds of the command are milliseconds here.
    clock: {
      nowEpochMs: () => Date.now(),
      monotonicMs: () => performance.now() * 1000,
      sleep: (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds / 1000)),
    },
    exit: (code) => {
      ran.code = code;
    },
    ...changes,
  };
  await runProgram(createProgram('0.0.0', world, COMMANDS), argv, world);
  return ran;
}

export interface Asked {
  method: string;
  url: string;
  body: string;
  headers: NodeJS.Dict<string | string[]>;
}
type Answer = { status?: number; body?: unknown; text?: string; type?: string };

/** An API on this machine that answers as it is told. */
export class PlayedApi {
  readonly asked: Asked[] = [];
  /** Undefined: it answers nothing. */
  answer: (asked: Asked) => Answer | undefined = () => ({ status: 404, body: { message: 'not played' } });
  readonly #server: Server;
  url = '';

  constructor() {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on('data', (chunk: Buffer) => chunks.push(chunk));
      request.on('end', () => {
        const { method = '', url = '', headers } = request;
        const asked = { method, url, headers, body: Buffer.concat(chunks).toString('utf8') };
        this.asked.push(asked);
        const answer = this.answer(asked);
        if (!answer) return;
        const { status = 200, body, text, type = 'application/json' } = answer;
        response.writeHead(status, { 'content-type': type }).end(text ?? JSON.stringify(body));
      });
    });
  }

  async start(): Promise<void> {
    this.url = `http://127.0.0.1:${await listening(this.#server)}`;
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

/** Signals as a test sends them. */
export function playedSignals() {
  const listeners = new Map<EndSignal, ((signal: EndSignal) => void)[]>();
  const of = (signal: EndSignal) => listeners.get(signal) ?? [];
  return {
    on: (signal: EndSignal, listener: (signal: EndSignal) => void) => listeners.set(signal, [...of(signal), listener]),
    off: (signal: EndSignal, listener: (signal: EndSignal) => void) =>
      listeners.set(
        signal,
        of(signal).filter((known) => known !== listener),
      ),
    send: (signal: EndSignal) => {
      for (const listener of of(signal)) listener(signal);
    },
    count: () => [...listeners.values()].flat().length,
  };
}
