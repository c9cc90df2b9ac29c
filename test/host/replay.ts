import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { execute } from './host.ts';

const REPLAY = fileURLToPath(new URL('../decisions/replay.py', import.meta.url));

export interface Replayed {
  /** How many decisions each machine has made. */
  counts: Record<'peer' | 'reversal' | 'lock', number>;
  /** Lines of the trace that are not what the program decides, or do not go on where their process was. */
  problems: string[];
  /** A process that was killed has left half a line at the end. */
  isCut: boolean;
}

/**
 * Makes every decision of a trace again, on this machine.
 * @param program directory of the host program that wrote it.
 */
export async function replay(program: string, trace: string): Promise<Replayed> {
  if (!existsSync(trace)) return { counts: { peer: 0, reversal: 0, lock: 0 }, problems: [], isCut: false };
  const { code, out } = await execute('/usr/bin/python3', ['-B', REPLAY, program, trace]);
  if (code !== 0) throw new Error(`replay: ${out}`);
  return JSON.parse(out);
}
