import { UsageError } from '../exit-codes.ts';
import { MEASURE_UNITS } from '../runs/measures.ts';

/** A claim says "at most"; of these more is better. */
const MORE_IS_BETTER: readonly string[] = ['acknowledgedWrites'];
const LIMITED = [...MEASURE_UNITS.keys()].filter((name) => !MORE_IS_BETTER.includes(name));

/**
 * `--limit NAME=NUMBER`, as often as there are measures.
 * @throws UsageError that names what is wrong with which one
 */
export function parseLimits(texts: readonly string[]): Map<string, number> {
  const limits = new Map<string, number>();
  for (const text of texts) {
    const [, name = '', number = ''] = /^([^=]*)=(.*)$/.exec(text) ?? [];
    if (!LIMITED.includes(name)) {
      const allowed = LIMITED.join(', ');
      throw new UsageError(
        `--limit ${text}: is not NAME=NUMBER with a measure of which less is better (allowed: ${allowed})`,
      );
    }
    if (!/^\d+(\.\d+)?$/.test(number)) {
      throw new UsageError(`--limit ${text}: ${number || 'nothing'} is not a number of 0 or more, as in ${name}=15`);
    }
    if (limits.has(name)) throw new UsageError(`--limit ${name}: is given twice`);
    limits.set(name, Number(number));
  }
  return limits;
}
