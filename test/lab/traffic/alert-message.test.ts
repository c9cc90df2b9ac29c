import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type AlertMessage,
  MAX_MESSAGE_BYTES,
  MESSAGE_TEMPLATE,
  readAlertMessage,
} from '../../../functions/domain/alert-message.ts';

const run = promisify(execFile);
let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'alert-message-'));
  // The tool wants a file of templates; ours needs none.
  writeFileSync(join(directory, 'none.tmpl'), '');
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

interface TemplateAlert {
  labels: Record<string, string>;
  annotations: Record<string, string>;
  status?: 'firing' | 'resolved';
}

/** What a real Alertmanager makes of the template. */
async function render(alerts: readonly TemplateAlert[]): Promise<string> {
  const data = {
    receiver: 'holdfast',
    status: 'firing',
    alerts: alerts.map((alert) => ({ status: 'firing', startsAt: '2026-11-26T12:00:00.123456Z', ...alert })),
  };
  writeFileSync(join(directory, 'data.json'), JSON.stringify(data));
  const { stdout } = await run(
    'amtool',
    [
      ...['template', 'render', `--template.glob=${join(directory, '*.tmpl')}`, `--template.text=${MESSAGE_TEMPLATE}`],
      `--template.data=${join(directory, 'data.json')}`,
    ],
    { maxBuffer: 1 << 22 },
  );
  return stdout.replace(/\n$/, '');
}

const read = (body: string): AlertMessage => {
  const message = readAlertMessage(body);
  if ('refused' in message) throw new Error(`${message.refused}: ${body}`);
  return message;
};

describe('the template of the message, rendered by Alertmanager', () => {
  it('tells of what fires, and counts what is over', async () => {
    const alert: TemplateAlert = {
      labels: { alertname: 'HoldfastErrorRatePct', cluster: 'redis-master', severity: 'CRITICAL', guardrail: 'x' },
      annotations: { summary: 'errorRatePct is 3.2 %' },
    };
    expect(read(await render([alert, { ...alert, status: 'resolved' }]))).toEqual({
      ...{ holdfast: 1, total: 1, resolved: 1 },
      firing: [
        {
          ...{ alert: 'HoldfastErrorRatePct', cluster: 'redis-master', severity: 'CRITICAL' },
          ...{ summary: 'errorRatePct is 3.2 %', startsAt: '2026-11-26T12:00:00.123Z' },
        },
      ],
    });
  });

  it('says nothing where a label is missing', async () => {
    expect(read(await render([{ labels: { alertname: 'Watchdog' }, annotations: {} }])).firing).toMatchObject([
      { alert: 'Watchdog', cluster: '', severity: 'CRITICAL', summary: '' },
    ]);
  });

  it('can be read whatever labels and annotations are, up to the length at which they are cut', async () => {
    const text = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.string({
        unit: fc.constantFrom(
          '"',
          '\\',
          '\n',
          '\t',
          '\u0000',
          '\u001f',
          '\u007f',
          '{{',
          '}}',
          '<',
          '&',
          "'",
          '\u2028',
          '😀',
          'é',
          '$1',
        ),
      }),
      fc.string({ minLength: 190, maxLength: 400 }),
    );
    const alert = fc.record({ alertname: text, cluster: text, severity: text, summary: text });
    await fc.assert(
      fc.asyncProperty(fc.array(alert, { minLength: 10, maxLength: 10 }), async (alerts) => {
        const rendered = await render(alerts.map(({ summary, ...labels }) => ({ labels, annotations: { summary } })));
        const { firing } = read(rendered);
        const shown = (given: string) =>
          [...given]
            .map((each) => (each < ' ' || each === '\u007f' ? ' ' : each))
            .slice(0, 200)
            .join('');
        expect(firing.map(({ cluster }) => cluster)).toEqual(alerts.map(({ cluster }) => shown(cluster)));
        expect(firing.map(({ summary }) => summary)).toEqual(alerts.map(({ summary }) => shown(summary)));
      }),
      { numRuns: 25 },
    );
  });

  it('stays below what is read, with any number of the longest alerts', async () => {
    const long = '\u{1F600}"'.repeat(200);
    const alert = { labels: { alertname: long, cluster: long, severity: long }, annotations: { summary: long } };
    const rendered = await render(Array.from({ length: 300 }, () => alert));
    expect(Buffer.byteLength(rendered)).toBeLessThan(MAX_MESSAGE_BYTES);
    expect(read(rendered)).toMatchObject({ total: 300, resolved: 0, firing: { length: 10 } });
  });
});
