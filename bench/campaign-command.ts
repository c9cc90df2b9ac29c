import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { CampaignDocument } from '../cli/campaign/campaign-document.ts';
import { CHECKOUT } from '../lab/shared/files.ts';

/**
 * `holdfast campaign FILE …` as a user types it, in a lab that is up. Its progress goes to our stderr; Ctrl-C reaches it
 * as it reaches us, and its document comes after the rollback.
 * @throws Error when it ends without a document
 */
export async function runCampaignCommand(
  file: string,
  options: readonly string[],
  directory: string,
): Promise<{ code: number; document: CampaignDocument }> {
  const command = ['campaign', file, ...options, '--json'];
  const program = [join(CHECKOUT, 'bin/holdfast.ts'), ...command, '--lab', directory];
  const child = spawn(process.execPath, program, { cwd: CHECKOUT, stdio: ['ignore', 'pipe', 'inherit'] });
  const wait = (): void => void process.stderr.write('waiting for the rollback\n');
  process.on('SIGINT', wait);
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    output += chunk;
  });
  const [code] = await once(child, 'close');
  process.off('SIGINT', wait);
  if (output === '') throw new Error(`holdfast campaign ended with ${code} and without a document`);
  return { code: code ?? 1, document: JSON.parse(output) as CampaignDocument };
}
