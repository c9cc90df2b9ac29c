import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ENTRY_TYPES } from '../../../functions/domain/audit-schemas.ts';
import { eventSchemas } from '../../../functions/domain/event-schemas.ts';
import { eventDetailOf } from '../../../functions/domain/events.ts';
import { hashEntry } from '../../../functions/domain/hash-chain.ts';
import { EVENT_SCHEMA_FILE, eventSchema } from '../../../lib/event-schema.ts';
import { EPOCH_MS, entry, iso } from './fixtures.ts';

const eventOf = (detail: object & { type: string }) => ({
  source: 'holdfast',
  'detail-type': `Experiment ${detail.type}`,
  detail,
});
const fits = (event: unknown) => eventSchemas.filter((schema) => schema.safeParse(event).success).length;

describe('our events', () => {
  it('are of exactly one documented form each, whatever the type', () => {
    for (const type of ENTRY_TYPES) expect(fits(eventOf(eventDetailOf(entry(type)))), type).toBe(1);
    expect(fits(eventOf({ ...eventDetailOf(entry('INJECTED')), ...{ version: '2' } }))).toBe(0);
  });

  it('carry the entry whole, so that its hash can be computed from it', () => {
    const written = entry('CONCLUDED');
    const { version, severity, summary, atEpochMs, ...carried } = eventDetailOf(written);
    expect(carried).toEqual(written);
    const { hash, ...unhashed } = written;
    expect(hashEntry(unhashed)).toBe(hash);
    expect({ version, severity, atEpochMs }).toEqual({ version: '1', severity: 'INFO', atEpochMs: EPOCH_MS + 75_000 });
    expect(summary).toContain('CONFIRMED');
  });

  it('say so when they leave out what is too large', () => {
    const startsAt = iso(0);
    const large = entry('ANNOUNCED', { startsAt, messageId: 'x'.repeat(200_000) });
    const detail = eventDetailOf(large);
    expect(detail).toMatchObject({ detailsLeftOut: true, details: {}, hash: large.hash });
    expect(fits(eventOf(detail))).toBe(1);
  });

  it('have the schema that lies beside the documentation; `npm run generate` writes it', () => {
    const written = readFileSync(new URL(`../../../${EVENT_SCHEMA_FILE}`, import.meta.url), 'utf8');
    expect(JSON.parse(written)).toEqual(JSON.parse(JSON.stringify(eventSchema())));
  });
});
