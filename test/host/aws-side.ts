import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import type { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { createCertificate } from './certificate.ts';
import type { LeaseServerOrder } from './lease-server.ts';
import { ADDRESS } from './wire.ts';

const LEASE_SERVER = new URL('lease-server.ts', import.meta.url).pathname;

/** One certificate and one lease server for all hosts of a test process: a start of Node each would double their price. */
class AwsSide {
  private readonly directory = mkdtempSync(join(tmpdir(), 'holdfast-aws-'));
  private readonly server: ChildProcess;
  private readonly waiting = new Map<string, () => void>();
  private ended: Error | undefined;
  private readonly end: Promise<never>;

  constructor() {
    createCertificate(this.directory, ADDRESS.aws);
    this.server = spawn('setpriv', ['--pdeathsig', 'KILL', process.execPath, LEASE_SERVER, this.directory], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.end = new Promise((_, reject) => {
      this.server.once('exit', (code) => {
        this.ended = new Error(`lease server ended with ${code}`);
        reject(this.ended);
      });
    });
    this.end.catch(() => undefined);
    if (this.server.stdout)
      createInterface({ input: this.server.stdout }).on('line', (line) => this.waiting.get(line.slice(6))?.());
    // It serves as long as this process does other work, and keeps it from ending by nothing.
    this.server.unref();
    for (const stream of [this.server.stdin, this.server.stdout]) (stream as Socket | null)?.unref();
    process.once('exit', () => {
      this.server.kill('SIGKILL');
      rmSync(this.directory, { recursive: true, force: true });
    });
  }

  copyCertificate(directory: string): void {
    copyFileSync(join(this.directory, 'server.pem'), join(directory, 'server.pem'));
  }

  private order(order: LeaseServerOrder): void {
    this.server.stdin?.write(`${JSON.stringify(order)}\n`);
  }

  async serve(directory: string, namespace: string): Promise<() => void> {
    if (this.ended) throw this.ended;
    const ready = new Promise<void>((resolve) => this.waiting.set(directory, resolve));
    this.order({ directory, namespace });
    await Promise.race([ready, this.end]);
    this.waiting.delete(directory);
    return () => this.order({ stop: directory });
  }
}

let side: AwsSide | undefined;

/** Puts `server.pem` of the AWS side into the directory of a host. */
export function copyCertificate(directory: string): void {
  side ??= new AwsSide();
  side.copyCertificate(directory);
}

/**
 * Serves a host its lease and its instance metadata on the AWS address in a network namespace.
 * @param namespace path of the namespace's file.
 * @returns when it answers, with what ends it.
 */
export function serveLease(directory: string, namespace: string): Promise<() => void> {
  side ??= new AwsSide();
  return side.serve(directory, namespace);
}
