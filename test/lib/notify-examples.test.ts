import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { AuditEntry } from '../../functions/domain/audit-entry.ts';
import { ENTRY_TYPES } from '../../functions/domain/audit-schemas.ts';
import { eventDetailOf } from '../../functions/domain/events.ts';
import { EVENT_SOURCE, eventDetailType } from '../../functions/domain/names.ts';
import type { JsonObject } from '../../lab/aws/protocol/json.ts';
import { transformInput } from '../../lab/aws/services/eventbridge-input.ts';
import { matchesPattern } from '../../lab/aws/services/eventbridge-pattern.ts';
import { EPOCH_MS, entry, fullRun, logOf } from '../functions/domain/fixtures.ts';

const FOLDER = new URL('../../examples/notify/', import.meta.url);

interface Example {
  Parameters: Record<string, unknown>;
  Resources: Record<string, { Type: string; Properties: JsonObject }>;
}
interface Transformer {
  InputPathsMap: JsonObject;
  InputTemplate: string;
}

/** A template, with its parameters given these values. */
function example(name: string, parameters: Record<string, string>): Example {
  const template: Example = JSON.parse(readFileSync(new URL(`${name}.json`, FOLDER), 'utf8'));
  expect(Object.keys(template.Parameters).sort()).toEqual(Object.keys(parameters).sort());
  return JSON.parse(JSON.stringify(template), (_, value) => {
    if (typeof value?.Ref === 'string') return parameters[value.Ref];
    const sub = value?.['Fn::Sub'];
    return typeof sub === 'string'
      ? sub.replace(/\$\{(\w+)\}/g, (_match, key: string) => parameters[key] ?? key)
      : value;
  });
}

const eventOf = (written: AuditEntry): JsonObject => ({
  source: EVENT_SOURCE,
  'detail-type': eventDetailType(written.type),
  detail: JSON.parse(JSON.stringify(eventDetailOf(written))),
});

/** Bodies that the rules of an example send for an event, as its API gets them. */
function sent({ Resources }: Example, written: AuditEntry): JsonObject[] {
  const event = eventOf(written);
  return Object.values(Resources).flatMap(({ Type, Properties }) => {
    if (Type !== 'AWS::Events::Rule' || !matchesPattern(Properties.EventPattern as JsonObject, event)) return [];
    return (Properties.Targets as unknown as { InputTransformer: Transformer }[]).map(({ InputTransformer }) => ({
      ...JSON.parse(transformInput({ ...InputTransformer }, event)),
      ...bodyParameters(Resources),
    }));
  });
}

/** What the connection adds to each body. */
function bodyParameters(resources: Example['Resources']): JsonObject {
  const parameters = JSON.stringify(resources.Connection?.Properties.AuthParameters);
  const found = [...parameters.matchAll(/"Key":"(\w+)","Value":"([^"]*)"/g)];
  return Object.fromEntries(found.map(([, key = '', value = '']) => [key, value]));
}

const failed = logOf('exp_1', ['ADMITTED'], ['ROLLBACK_FAILED'])[1] as AuditEntry;

describe('examples/notify', () => {
  it('are all tested here', () => {
    expect(readdirSync(FOLDER).sort()).toEqual(['grafana.json', 'pagerduty.json', 'slack.json']);
  });

  it.each(['slack', 'pagerduty', 'grafana'])('%s follows no event of another version, or of somebody else', (name) => {
    const template: Example = JSON.parse(readFileSync(new URL(`${name}.json`, FOLDER), 'utf8'));
    const events = ENTRY_TYPES.map((type) => eventOf(entry(type)));
    for (const { Type, Properties } of Object.values(template.Resources)) {
      if (Type !== 'AWS::Events::Rule') continue;
      const matches = (event: JsonObject) => matchesPattern(Properties.EventPattern as JsonObject, event);
      expect(events.some(matches)).toBe(true);
      expect(events.map((event) => ({ ...event, source: 'other' })).some(matches)).toBe(false);
      expect(
        events.map((event) => ({ ...event, detail: { ...Object(event.detail), version: '2' } })).some(matches),
      ).toBe(false);
    }
  });

  it('Slack gets channel and text of chat.postMessage: what is announced, starts, goes wrong and ends, each once', () => {
    const slack = example('slack', { SlackToken: 'xoxb-1', Channel: 'C1' });
    const run = fullRun({
      ANNOUNCED: {},
      CONCLUDED: {},
      ROLLING_BACK: { reason: 'ABORT', detail: 'requested by "ana"' },
    });
    const bodies = run.flatMap((written) => sent(slack, written));
    expect(bodies.map(({ text }) => String(text).split(' ')[2])).toEqual(['announced', 'started', 'aborted', 'ended']);
    for (const body of bodies) {
      expect(Object.keys(body).sort()).toEqual(['channel', 'text']);
      expect(body.channel).toBe('C1');
    }
    expect(bodies[2]?.text).toContain('requested by "ana"');
  });

  it('PagerDuty gets an event of Events API v2 for what is critical, and one incident however often it is tried again', () => {
    const pagerDuty = example('pagerduty', { RoutingKey: '0123456789abcdef0123456789abcdef' });
    expect(fullRun().flatMap((written) => sent(pagerDuty, written))).toEqual([]);
    const [body, ...others] = sent(pagerDuty, failed);
    expect(others).toEqual([]);
    expect(body).toEqual({
      routing_key: '0123456789abcdef0123456789abcdef',
      event_action: 'trigger',
      dedup_key: 'exp_1',
      payload: {
        summary: expect.stringMatching(/^CRITICAL Holdfast: rollback failed exp_1: redis-node-3: /),
        source: 'holdfast',
        severity: 'critical',
        timestamp: failed.at,
        class: 'ROLLBACK_FAILED',
        custom_details: JSON.parse(JSON.stringify(failed.details)),
      },
    });
    const again = logOf('exp_1', ['ADMITTED'], ['ROLLBACK_FAILED'], ['ROLLBACK_FAILED']);
    expect(sent(pagerDuty, again[2] as AuditEntry)[0]?.dedup_key).toBe('exp_1');
  });

  it('Grafana gets annotations with their time in milliseconds, tags and text', () => {
    const grafana = example('grafana', { GrafanaUrl: 'https://grafana.example', Token: 'glsa_1' });
    expect(grafana.Resources.Destination?.Properties.InvocationEndpoint).toBe(
      'https://grafana.example/api/annotations',
    );
    const bodies = fullRun({ CONCLUDED: {} }).flatMap((written) => sent(grafana, written));
    expect(bodies.map(({ tags }) => (tags as string[])[2])).toEqual([
      ...['INJECTED', 'ROLLING_BACK', 'ROLLED_BACK', 'CONCLUDED'],
    ]);
    expect(bodies[0]).toEqual({
      time: EPOCH_MS + 3000,
      tags: ['holdfast', fullRun()[0]?.experimentId, 'INJECTED'],
      text: expect.stringContaining('started'),
    });
  });
});
