import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { end, inDeclared, text } from './declared.ts';

type What = 'guest image' | 'lab';

interface Started {
  child: ChildProcess;
  /** Undefined once it is ready, or what went wrong. */
  ready: Promise<string | undefined>;
  ended: Promise<number>;
}

/** What tiers need and what takes long to start, beside tiers that do not need it. */
export class Preparation {
  private readonly started = new Map<What, Started>();

  start(what: What): void {
    if (process.platform !== 'linux' || process.getuid?.() !== 0) return;
    // Without it the guest tier says that there can be no guest kernel here.
    if (what === 'guest image' && !existsSync('/usr/bin/linux.uml')) return;
    const child =
      what === 'lab'
        ? inDeclared('lab,test,uml', ['node', 'test/system/keep-lab.ts'], 'pipe')
        : inDeclared('image', ['bash', 'test/guest/machine/build-root.sh', '.guest'], 'pipe');
    const [ended, said] = [end(child), text(child)];
    const failed = ended.then(async (code) => (code === 0 ? undefined : `${what}: ${await said}`));
    const isUp = new Promise<undefined>((resolve) =>
      child.stdout?.on('data', (chunk) => {
        if (String(chunk).includes('ready')) resolve(undefined);
      }),
    );
    this.started.set(what, { child, ready: Promise.race([failed, isUp]), ended });
  }

  /** Waits for what a tier needs. @returns what went wrong with it. */
  async await(tier: string): Promise<string | undefined> {
    const what = neededBy(tier);
    return what && this.started.get(what)?.ready;
  }

  environment(tier: string): Record<string, string> {
    return neededBy(tier) === 'lab' && this.started.has('lab') ? { SYSTEM_LAB: 'up' } : {};
  }

  /** The lab takes processors from every tier that does not need it. */
  async release(tier: string): Promise<void> {
    if (neededBy(tier) === 'lab') await this.stop('lab');
  }

  async stopAll(): Promise<void> {
    for (const what of this.started.keys()) await this.stop(what);
  }

  private async stop(what: What): Promise<void> {
    const started = this.started.get(what);
    started?.child.stdin?.end();
    await started?.ended;
    this.started.delete(what);
  }
}

function neededBy(tier: string): What | undefined {
  if (tier.startsWith('guest')) return 'guest image';
  return tier.startsWith('system') ? 'lab' : undefined;
}
