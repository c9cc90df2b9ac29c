import type { SentValue } from '../../domain/value-account.ts';
import type { StoredValue } from './probe-table.ts';

const AT_ONCE = 16;

/**
 * What every key has at the end. Says of the writes, besides, under which timestamp they are kept: of one that is read, its own; of a
 * later one that is not, that of its witness.
 * @throws Error when one cannot be read: then nobody knows
 */
export async function readBack(
  sent: readonly SentValue[],
  read: (key: string) => Promise<StoredValue | null>,
  witnesses: ReadonlyMap<string, string>,
): Promise<Map<string, string | null>> {
  const writes = [...Map.groupBy(sent, ({ key }) => key)];
  const last = new Map<string, string | null>();
  async function readNext(): Promise<void> {
    for (let next = writes.pop(); next; next = writes.pop()) {
      const [key, own] = next;
      const stored = await read(key);
      last.set(key, stored?.value ?? null);
      const shown = own.find(({ value }) => value === stored?.value);
      if (stored && shown) shown.timestampUs = stored.timestampUs;
      const [later] = own.slice(1);
      const witness = witnesses.get(key);
      if (!later || later === shown || later.value === (stored?.value ?? null) || witness === undefined) continue;
      const beside = await read(witness);
      if (beside) later.timestampUs = beside.timestampUs;
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, readNext));
  return last;
}
