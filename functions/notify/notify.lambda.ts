import { auditReader, topic } from '../aws/wiring.ts';
import { type EntryEvent, notify, type Told } from './notify.ts';

const dependencies = { audit: auditReader(), topicOf: topic };

export function handler(event: EntryEvent): Promise<Told> {
  return notify(event, dependencies);
}
