import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { SYSTEM_LAB_DIRECTORY } from './directory.ts';

const run = promisify(execFile);

export interface RunDocument {
  experimentId: string;
  status: string;
  outcome: string;
  reason?: string;
  budgets: { cluster: string; name: string; measured: number; limit: number; met: boolean }[];
  findings: { cluster: string; failureMode: string; value: number }[];
  checks: { name: string; result: string; measured?: number; heldAfterSeconds?: number }[];
  records: Record<string, unknown>[];
  timeline: { type: string; at: string; details: Record<string, unknown> }[];
  nodes: { node: string; outcome: string; leftovers: string[]; fence: { outcome: string } }[];
}

export interface LabRun {
  code: number;
  document: RunDocument;
  stderr: string;
}

/** Of one that was not even admitted the document says why, and nothing else. */
const NOTHING_BEGAN = { budgets: [], findings: [], checks: [], records: [], timeline: [], nodes: [] };

/** `lab run FILE --json` as a user types it; the exit code is part of the answer. */
export async function labRun(file: string): Promise<LabRun> {
  const environment = { ...process.env, LAB_DIRECTORY: SYSTEM_LAB_DIRECTORY };
  const command = ['lab/cli/main.ts', 'run', file, '--json'];
  const result = await run(process.execPath, command, { env: environment, maxBuffer: 1 << 24 }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error: { code: number; stdout: string; stderr: string }) => error,
  );
  const document = { ...NOTHING_BEGAN, ...(JSON.parse(result.stdout) as Partial<RunDocument>) } as RunDocument;
  return { code: result.code, document, stderr: result.stderr };
}
