import * as z from 'zod';
import { ALERT_SEVERITIES } from './contract.ts';
import type { AlertSeverity } from './experiment.ts';
import { readStrictJson } from './strict-json.ts';

/** What an Alertmanager says through SNS: the template that makes it, and its reader. */

/** A message tells of so many alerts, and of how many more there are: SNS takes 256 kB, and half a message is none. */
const MAX_ALERTS = 10;
const MAX_TEXT_CHARACTERS = 200;
/** Above what the template can make: its texts in the longest escapes. */
export const MAX_MESSAGE_BYTES = 64 * 1024;

const FIELDS = {
  alert: '.Labels.alertname',
  cluster: '.Labels.cluster',
  severity: '.Labels.severity',
  summary: '.Annotations.summary',
  startsAt: '.StartsAt.UTC.Format "2006-01-02T15:04:05.000Z"',
} as const;

/** Text of a template → the inside of a JSON string: cut, without control characters, quotes and backslashes escaped. */
const AS_JSON = [
  String.raw`reReplaceAll "[\\x00-\\x1f\\x7f]" " "`,
  `reReplaceAll "(?s)^(.{${MAX_TEXT_CHARACTERS}}).*$" "$1"`,
  String.raw`reReplaceAll "([\"\\\\])" "\\$1"`,
].join(' | ');

const ALERT = Object.entries(FIELDS)
  .map(([name, value]) => `"${name}":"{{ ${value} | ${AS_JSON} }}"`)
  .join(',');

/** In Alertmanager's template language. Of a group all alerts have the same cluster and severity, so the first ones say enough. */
export const MESSAGE_TEMPLATE =
  `{"holdfast":1,"firing":[{{ range $at, $alert := .Alerts.Firing }}{{ if lt $at ${MAX_ALERTS} }}` +
  `{{ if $at }},{{ end }}{{ with $alert }}{${ALERT}}{{ end }}{{ end }}{{ end }}],` +
  '"total":{{ len .Alerts.Firing }},"resolved":{{ len .Alerts.Resolved }}}';

/** SNS refuses a longer one, one that is not ASCII, and with it the message: so it is always the same. */
export const MESSAGE_SUBJECT = 'Holdfast alert';
/** By these the alerts of one message are alike. */
export const MESSAGE_GROUP = ['cluster', 'alertname', 'severity'] as const;

const text = z.string().max(2 * MAX_TEXT_CHARACTERS);
const messageSchema = z.strictObject({
  holdfast: z.literal(1),
  firing: z
    .array(z.strictObject({ alert: text, cluster: text, severity: text, summary: text, startsAt: z.iso.datetime() }))
    .max(MAX_ALERTS),
  total: z.int().nonnegative(),
  resolved: z.int().nonnegative(),
});

export interface FiringAlert {
  alert: string;
  /** Empty where the alert has no such label. */
  cluster: string;
  severity: AlertSeverity;
  summary: string;
  startsAt: string;
}

export interface AlertMessage {
  firing: FiringAlert[];
  /** How many are firing in all, and how many are over. */
  total: number;
  resolved: number;
}

/** @returns the message, or why it is none of ours: nobody learns what it meant. */
export function readAlertMessage(body: string): AlertMessage | { refused: string } {
  const bytes = Buffer.byteLength(body);
  if (bytes > MAX_MESSAGE_BYTES) return { refused: `has ${bytes} bytes, at most ${MAX_MESSAGE_BYTES}` };
  const json = readStrictJson(body);
  if (!json.ok) return { refused: json.errors.map(({ field, message }) => `${field}: ${message}`).join('; ') };
  const parsed = messageSchema.safeParse(json.value);
  if (!parsed.success) {
    const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.') || '(body)'}: ${message}`);
    return { refused: problems.join('; ') };
  }
  return {
    ...parsed.data,
    firing: parsed.data.firing.map((each) => ({ ...each, severity: severityOf(each.severity) })),
  };
}

/** Teams write it as they like. One that is missing, or of a scale of their own, is the worst. */
function severityOf(label: string): AlertSeverity {
  return ALERT_SEVERITIES.find((known) => known === label.trim().toUpperCase()) ?? 'CRITICAL';
}
