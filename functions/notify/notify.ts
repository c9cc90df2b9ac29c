import type { Topic } from '../aws/topics.ts';
import type { AuditEntry, EntryType } from '../domain/audit-entry.ts';
import { parseEntry } from '../domain/audit-schemas.ts';
import { noticeOf } from '../domain/notice.ts';
import { ANNOUNCEMENT_SEVERITY, type NoticeSeverity } from '../domain/notifications.ts';
import { log } from '../runtime/log.ts';
import type { AuditLog } from '../tables/audit-log.ts';

/** The part of our own events that is used. */
export interface EntryEvent {
  detail: Record<string, unknown>;
}

export interface NotifyDependencies {
  audit: Pick<AuditLog, 'read'>;
  topicOf(severity: NoticeSeverity): Pick<Topic, 'publish'>;
}

export type Told = 'told' | 'nothing to tell' | 'not in the log';

/**
 * Tells people of an entry, by the log: whoever may put events could make up any. Where the log cannot be read, by the event,
 * because silence about a rollback that failed is worse. A doubled event is told twice: nothing remembers what was told, so
 * that nothing can forget it.
 * @throws the service's error, so that the event is delivered again; Error for an event that is none of ours
 */
export async function notify({ detail }: EntryEvent, { audit, topicOf }: NotifyDependencies): Promise<Told> {
  const { experimentId, sequence, type, hash } = detail;
  const known = await readLog(String(experimentId), audit);
  const entry = known ? known.find((one) => one.sequence === sequence && one.hash === hash) : parseEntry(detail);
  if (!entry) {
    log.warn('not told: it is not in the log', { experimentId, sequence, type });
    return 'not in the log';
  }
  const notice = noticeOf(entry, known);
  if (!notice) {
    log.info('nothing to tell', { experimentId, sequence, type });
    return 'nothing to tell';
  }
  for (const severity of new Set([notice.severity, ...alsoTold(entry, known)])) {
    const { messageId } = await topicOf(severity).publish(notice);
    log.info('told', { experimentId, sequence, type, severity, messageId });
  }
  return 'told';
}

/** Whoever was told that it would start must hear that it did not. */
function alsoTold({ type }: AuditEntry, known: readonly AuditEntry[] = []): NoticeSeverity[] {
  const has = (wanted: EntryType) => known.some((entry) => entry.type === wanted);
  return type === 'CONCLUDED' && has('ANNOUNCED') && !has('INJECTED') ? [ANNOUNCEMENT_SEVERITY] : [];
}

async function readLog(experimentId: string, audit: NotifyDependencies['audit']): Promise<AuditEntry[] | undefined> {
  try {
    return await audit.read(experimentId);
  } catch (error) {
    log.error('the log is not readable: told by the event alone', { experimentId, error: String(error) });
    return undefined;
  }
}
