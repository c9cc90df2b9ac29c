import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CHECKOUT, OWN_FILES, writeJson } from '../shared/files.ts';
import { inNetworkOf } from '../shared/namespaces.ts';

export interface PartStatus {
  state: 'running' | 'died';
  /** In the pid namespace of the lab's first process. */
  pid: number;
  /** How it died, and where its output is. */
  reason?: string;
}

export interface PartOptions {
  /** Network namespace; absent: the lab's root. */
  namespace?: string;
  environment?: Record<string, string>;
  /** Added to the scheduling priority; higher yields to the others. */
  niceness?: number;
}

/**
 * The lab's own processes. None may end while the lab lives: an experiment whose gateway or Prometheus has died shows
 * nothing about the system under test, so a death is recorded and reported, never repaired.
 */
export class Parts {
  readonly #status: Record<string, PartStatus> = {};
  readonly #directory: string;
  readonly #onDeath: (reason: string) => void;

  constructor(directory: string, onDeath: (reason: string) => void) {
    this.#directory = directory;
    this.#onDeath = onDeath;
  }

  /** Starts `argv`; its output goes to `log/part-<name>.log`. @throws Error when it cannot be started at all. */
  start(name: string, argv: readonly string[], options: PartOptions = {}): void {
    const logFile = join(this.#directory, OWN_FILES.log, `part-${name}.log`);
    mkdirSync(join(this.#directory, OWN_FILES.log), { recursive: true });
    const enter = options.namespace === undefined ? [] : inNetworkOf(options.namespace);
    const [program, ...rest] = [...enter, 'nice', '-n', String(options.niceness ?? 0), ...argv];
    if (program === undefined) throw new Error(`${name}: empty command`);
    const log = openSync(logFile, 'a');
    const child = spawn(program, rest, {
      cwd: CHECKOUT,
      env: { ...process.env, LAB_DIRECTORY: this.#directory, ...options.environment },
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    this.watch(name, child, logFile);
  }

  /** Records a process that was started elsewhere. `pid` when the one that counts is not the child itself. */
  watch(name: string, child: ChildProcess, logFile: string, pid: number | undefined = child.pid): void {
    if (pid === undefined) throw new Error(`${name}: could not be started`);
    this.#set(name, { state: 'running', pid });
    child.once('exit', (code, signal) => {
      const reason = `${name} ended with ${signal ?? `exit code ${code}`}; its output: ${logFile}`;
      this.#set(name, { state: 'died', pid, reason });
      this.#onDeath(reason);
    });
  }

  pids(): Record<string, number> {
    return Object.fromEntries(Object.entries(this.#status).map(([name, part]) => [name, part.pid]));
  }

  /** @throws Error for a part that was not started. */
  pidOf(name: string): number {
    const pid = this.#status[name]?.pid;
    if (pid === undefined) throw new Error(`there is no part ${name}`);
    return pid;
  }

  /** @returns why the first dead part died. */
  death(): string | undefined {
    return Object.values(this.#status).find((part) => part.state === 'died')?.reason;
  }

  #set(name: string, status: PartStatus): void {
    this.#status[name] = status;
    writeJson(join(this.#directory, OWN_FILES.status), this.#status);
  }
}

/** Runs a command to its end. @throws Error with its output when it fails. */
export async function runToEnd(
  argv: readonly string[],
  options: { environment?: Record<string, string>; timeoutSeconds: number },
): Promise<string> {
  const [program, ...rest] = argv;
  if (program === undefined) throw new Error('empty command');
  const { stdout } = await promisify(execFile)(program, rest, {
    cwd: CHECKOUT,
    env: { ...process.env, ...options.environment },
    timeout: options.timeoutSeconds * 1000,
    maxBuffer: 16 * 1024 * 1024,
  });
  return stdout;
}
