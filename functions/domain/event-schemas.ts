import * as z from 'zod';
import { detailsSchemas, ENTRY_TYPES, rowFields } from './audit-schemas.ts';
import { EVENT_VERSION, type EventFields } from './events.ts';
import { EVENT_SOURCE, eventDetailType } from './names.ts';
import { NOTICE_SEVERITIES } from './notifications.ts';

const eventFields = {
  version: z.literal(EVENT_VERSION),
  severity: z.enum(NOTICE_SEVERITIES),
  summary: z.string(),
  atEpochMs: z.number(),
  detailsLeftOut: z.literal(true).exactOptional(),
} satisfies Record<keyof EventFields, unknown>;

/** The part of an event that is ours, one a type: what rules may rely on. */
export const eventSchemas = ENTRY_TYPES.map((type) =>
  z.looseObject({
    source: z.literal(EVENT_SOURCE),
    'detail-type': z.literal(eventDetailType(type)),
    detail: z.looseObject({
      ...eventFields,
      ...rowFields,
      type: z.literal(type),
      details: z.union([detailsSchemas[type], z.strictObject({})]),
    }),
  }),
);
