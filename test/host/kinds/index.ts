import { readdirSync } from 'node:fs';
import type { KindCase } from '../kind-case.ts';

/** Every host kind: `clockDrift` of clock-drift.ts, and so on. A test compares them with the kinds there are. */
const kinds = readdirSync(import.meta.dirname)
  .filter((file) => file !== 'index.ts')
  .map((file) => file.replace(/\.ts$/, ''));
export const KIND_CASES: readonly KindCase[] = await Promise.all(kinds.map(caseOf));

async function caseOf(kind: string): Promise<KindCase> {
  const module: Record<string, KindCase> = await import(new URL(`${kind}.ts`, import.meta.url).href);
  const name = kind.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
  const found = module[name];
  if (!found) throw new Error(`test/host/kinds/${kind}.ts exports no ${name}`);
  return found;
}
