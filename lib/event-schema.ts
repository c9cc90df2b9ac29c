import * as z from 'zod';
import { eventSchemas } from '../functions/domain/event-schemas.ts';
import { EVENT_VERSION } from '../functions/domain/events.ts';

/** Where it lies for whoever writes a rule. */
export const EVENT_SCHEMA_FILE = 'docs/events.schema.json';

/** The JSON Schema of our events, made of the schemas by which the log is read. Draft 7. */
export function eventSchema(): Record<string, unknown> {
  const { $schema, ...schema } = z.toJSONSchema(z.union(eventSchemas), {
    target: 'draft-7',
    // As it is sent; what a schema cannot say in JSON is anything.
    io: 'input',
    unrepresentable: 'any',
    reused: 'ref',
  });
  const title = `Holdfast events, version ${EVENT_VERSION}`;
  const description =
    'What follows each entry of the audit log on the default event bus; details: docs/notifications.md.';
  return { $schema, title, description, ...schema };
}
