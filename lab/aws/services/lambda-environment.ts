import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, openSync, readdirSync } from 'node:fs';
import { setPriority } from 'node:os';
import { fileURLToPath } from 'node:url';
import { isUnaffected, NICENESS, prioritizeSession } from '../../shared/niceness.ts';
import type { FromRuntime, RuntimeError, ToRuntime } from './lambda-messages.ts';

const SHIM = fileURLToPath(new URL('./lambda-runtime.ts', import.meta.url));

export interface EnvironmentOptions {
  codeDirectory: string;
  /** The whole environment: nothing of the lab's own leaks in. */
  variables: Record<string, string>;
  logFile: string;
  /** Prefix of the command line, e.g. `ip netns exec vpc`; empty in tests without namespaces. */
  enter: readonly string[];
}

export interface Outcome {
  payload: string;
  /** Present when the function failed: AWS's `FunctionError`. */
  error?: RuntimeError;
  requestId: string;
}

/** One execution environment: one process, one invocation at a time, as Lambda has it. */
export class Environment {
  state: 'initializing' | 'idle' | 'busy' | 'dead' = 'initializing';
  /** Milliseconds from start to a loaded handler. */
  initMs: number | undefined;
  readonly ready: Promise<void>;
  readonly #child: ChildProcess;
  readonly #exited: Promise<string>;
  #lastError: RuntimeError | undefined;
  #onAnswer: ((message: FromRuntime) => void) | undefined;

  constructor(options: EnvironmentOptions) {
    const log = openSync(options.logFile, 'a');
    const [command = process.execPath, ...args] = [...options.enter, process.execPath, SHIM];
    const startedMs = performance.now();
    this.#child = spawn(command, args, {
      cwd: options.codeDirectory,
      env: options.variables,
      stdio: ['ignore', log, log, 'ipc'],
      // A session of its own: whether it yields is decided among sessions.
      detached: true,
    });
    this.#exited = new Promise((resolve) => {
      this.#child.on('error', (error) => resolve(error.message));
      this.#child.on('exit', (code, signal) => {
        this.state = 'dead';
        resolve(signal === null ? `exit status ${code}` : `signal: ${signal}`);
      });
    });
    prioritize(this.#child, NICENESS.yielding);
    const loaded = new Promise<void>((resolve) => {
      this.#child.on('message', (message: FromRuntime) => {
        if (message.kind === 'ready') {
          this.initMs = performance.now() - startedMs;
          // A probe that waits for a processor sees less than there is.
          prioritize(this.#child, NICENESS.serving);
          if (this.state === 'initializing') this.state = 'idle';
          resolve();
        } else if (message.kind === 'failed') this.#lastError = message.error;
        else this.#onAnswer?.(message);
      });
    });
    this.ready = Promise.race([loaded, this.#exited.then(() => undefined)]);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Resolves, never rejects: a crash or a timeout is an outcome. */
  async invoke(event: unknown, functionArn: string, timeoutMs: number): Promise<Outcome> {
    const requestId = randomUUID();
    const fail = (errorType: string, errorMessage: string, trace: string[] = []): Outcome => {
      const error = { errorType, errorMessage, trace };
      return { payload: JSON.stringify(error), error, requestId };
    };
    this.state = this.state === 'dead' ? 'dead' : 'busy';
    await this.ready;
    const died = this.#exited.then((how) => {
      const known = this.#lastError;
      if (known !== undefined) return fail(known.errorType, known.errorMessage, known.trace);
      return fail('Runtime.ExitError', `RequestId: ${requestId} Error: Runtime exited with error: ${how}`);
    });
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return died;
    const answered = new Promise<Outcome>((resolve) => {
      this.#onAnswer = (message) => {
        if (message.kind === 'succeeded') resolve({ payload: message.payload, requestId });
        if (message.kind === 'threw')
          resolve(fail(message.error.errorType, message.error.errorMessage, message.error.trace));
      };
    });
    const message: ToRuntime = { requestId, functionArn, timeoutMs, event };
    this.#child.send(message, () => {}); // a failed send is an exit, and that is awaited below
    let timer: NodeJS.Timeout | undefined;
    const timedOut = new Promise<Outcome>((resolve) => {
      timer = setTimeout(() => {
        this.kill();
        const seconds = (timeoutMs / 1000).toFixed(2);
        resolve(fail('Sandbox.Timedout', `RequestId: ${requestId} Error: Task timed out after ${seconds} seconds`));
      }, timeoutMs);
    });
    const outcome = await Promise.race([answered, died, timedOut]);
    clearTimeout(timer);
    this.#onAnswer = undefined;
    if (this.state === 'busy') this.state = 'idle';
    return outcome;
  }

  kill(): void {
    this.state = 'dead';
    this.#child.kill('SIGKILL');
  }
}

/** All threads of a process, for which Linux keeps a priority each, and its session. */
function prioritize({ pid }: ChildProcess, niceness: number): void {
  const tasks = `/proc/${pid}/task`;
  if (pid === undefined || !existsSync(tasks)) return;
  prioritizeSession(niceness, pid);
  for (const thread of readdirSync(tasks)) {
    try {
      setPriority(Number(thread), niceness);
    } catch (error) {
      if (!isUnaffected((error as { info?: { code?: string } }).info ?? {})) throw error;
    }
  }
}
