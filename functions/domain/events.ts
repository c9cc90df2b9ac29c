import { type AuditEntry, isEntryOf } from './audit-entry.ts';
import { noticeOf } from './notice.ts';
import { subjectOf } from './notice-text.ts';
import type { NoticeSeverity } from './notifications.ts';

/** Another one only when a field goes or changes its meaning: rules of others may ask for it. What is added changes nothing. */
export const EVENT_VERSION = '1';
/** EventBridge takes 256 KiB, all fields together. */
const MAX_DETAIL_BYTES = 200_000;

/** What an event says beside the entry, for rules that can compute nothing. */
export interface EventFields {
  version: typeof EVENT_VERSION;
  severity: NoticeSeverity;
  /** One line of at most 99 characters of ASCII. */
  summary: string;
  /** `at`, in milliseconds since the epoch. */
  atEpochMs: number;
  /** `details` is empty, because the event would have been too large: they are in the log. */
  detailsLeftOut?: true;
}

/** Of the event that follows an entry of the log. */
export function eventDetailOf(entry: AuditEntry): EventFields & Omit<AuditEntry, 'details'> & { details: object } {
  const notice = noticeOf(entry);
  const fields: EventFields = {
    version: EVENT_VERSION,
    severity: notice?.severity ?? 'INFO',
    summary: notice?.subject ?? plainSummary(entry),
    atEpochMs: Date.parse(entry.at),
  };
  const whole = { ...fields, ...entry };
  if (Buffer.byteLength(JSON.stringify(whole)) <= MAX_DETAIL_BYTES) return whole;
  return { ...fields, detailsLeftOut: true, ...entry, details: {} };
}

/** Of what nobody is told by us, or was told already. */
function plainSummary(entry: AuditEntry): string {
  const what = entry.type.toLowerCase().replaceAll('_', ' ');
  const when = isEntryOf(entry, 'ANNOUNCED') ? `: to start at ${entry.details.startsAt}` : '';
  return subjectOf(`INFO Holdfast: ${what} ${entry.experimentId}${when}`);
}
