import { execFileSync } from 'node:child_process';
import { cpus, release, totalmem } from 'node:os';
import { CHECKOUT } from '../lab/shared/files.ts';

/** Where figures come from. */
export interface Provenance {
  machine: string;
  date: string;
  commit: string;
}

/** To be read before anything is measured: an hour of figures must not be lost for want of it. */
export function readProvenance(): Provenance {
  return {
    machine: `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}, ${Math.round(totalmem() / 1e9)} GB, Linux ${release()}`,
    date: new Date().toISOString().slice(0, 10),
    commit: readCommit(),
  };
}

export function provenanceText({ machine, date, commit }: Provenance): string {
  return `Machine: ${machine}. Date: ${date}. Commit: ${commit}.`;
}

function readCommit(): string {
  try {
    return execFileSync('git', ['describe', '--always', '--dirty'], { cwd: CHECKOUT, encoding: 'utf8' }).trim();
  } catch {
    return 'unknown (no git checkout)';
  }
}
