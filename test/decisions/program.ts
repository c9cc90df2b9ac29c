import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const HOST_DIRECTORY = fileURLToPath(new URL('../../host/', import.meta.url));
const DRIVER = fileURLToPath(new URL('drive.py', import.meta.url));

/** A value as `supervision/trace.py` writes it: fields beside the name of its type. */
export interface Encoded {
  readonly type: string;
  readonly [field: string]: unknown;
}

export interface Step {
  event: Encoded;
  /** Seconds on the boot clock. */
  at: number;
  /** The event comes in these phases alone. */
  phases?: readonly string[];
  /** What is on record then is asked for. */
  keeps?: boolean;
}

export interface Answer {
  effects: Encoded[];
  /** Left out of brief answers. */
  state?: Encoded;
  /** Of a peer: when it wants a tick at the latest. Seconds on the boot clock. */
  deadline?: number;
  /** Of a reversal: what is still known after everybody's death. */
  kept?: Encoded;
}

export interface Run {
  machine: 'peer' | 'reversal' | 'lock';
  state?: Encoded;
  /** Arguments of `decide.begin`: is it the runner, grace, TTL, the grant that it needs, the time. */
  begin?: readonly [boolean, number, number, string, number];
  steps: readonly Step[];
  brief?: boolean;
}

export const tuple = (items: readonly unknown[]): Encoded => ({ type: 'tuple', items });

/** The decisions of the host program, in one process of Python that answers line by line. */
export class Program {
  private readonly child: ChildProcessWithoutNullStreams;
  private readonly waiting: { resolve: (line: string) => void; reject: (error: Error) => void }[] = [];
  private complaint = '';
  private isOver = false;

  constructor(environment: Record<string, string> = {}) {
    this.child = spawn('/usr/bin/python3', ['-B', DRIVER, HOST_DIRECTORY], { env: environment });
    createInterface({ input: this.child.stdout }).on('line', (line) => this.waiting.shift()?.resolve(line));
    this.child.stderr.on('data', (text) => {
      this.complaint += String(text);
    });
    this.child.once('close', () => {
      this.isOver = true;
      for (const { reject } of this.waiting.splice(0)) reject(this.end());
    });
    this.child.stdin.once('error', () => undefined); // its end tells
  }

  stop(): void {
    this.child.stdin.end();
  }

  async decide(runs: readonly Run[]): Promise<(Answer | null)[][]> {
    return JSON.parse(await this.ask(runs));
  }

  async decideOne(run: Run): Promise<(Answer | null)[]> {
    const [answers = []] = await this.decide([run]);
    return answers;
  }

  /** Each type that a trace may name, and whether it is the same when it was written and read. */
  async examples(): Promise<{ type: string; isSame: boolean }[]> {
    return JSON.parse(await this.ask('examples'));
  }

  private end(): Error {
    return new Error(`drive.py ended: ${this.complaint}`);
  }

  private ask(question: unknown): Promise<string> {
    if (this.isOver) return Promise.reject(this.end());
    return new Promise((resolve, reject) => {
      this.waiting.push({ resolve, reject });
      this.child.stdin.write(`${JSON.stringify(question)}\n`);
    });
  }
}
