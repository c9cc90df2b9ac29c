import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { PROBLEMS } from '../../functions/domain/problem.ts';
import { ofType } from './synthesized.ts';

const page = readFileSync(new URL('../../docs/runbook.md', import.meta.url), 'utf8');
/** Headings as GitHub makes anchors of them, with what stands below each. */
const headings = new Map(
  page
    .split(/^#{2,3} /m)
    .slice(1)
    .map((part) => {
      const [title = '', ...below] = part.split('\n');
      const anchor = title
        .toLowerCase()
        .replace(/[^\w\s-]/g, '')
        .replaceAll(' ', '-');
      return [anchor, below.join('\n').trim()] as const;
    }),
);

describe('the runbook', () => {
  it('has something to say under the heading that each alarm which pages leads to', () => {
    const paging = ofType('AWS::CloudWatch::Alarm').filter(([, { Properties }]) => Properties.AlarmActions);
    expect(paging.length).toBeGreaterThan(8);
    for (const [id, { Properties }] of paging) {
      const anchor = / docs\/runbook\.md#(\S+)$/.exec(String(Properties.AlarmDescription))?.[1] ?? '';
      expect(headings.get(anchor)?.length, `${id}: ${anchor}`).toBeGreaterThan(40);
    }
  });

  it.each(Object.keys(PROBLEMS))('says what to do about the refusal %s', (slug) => {
    expect(headings.get(slug)?.length).toBeGreaterThan(20);
  });

  it('leads nowhere that is not there', () => {
    for (const [, anchor = ''] of page.matchAll(/\]\(#([^)]+)\)/g)) expect([...headings.keys()]).toContain(anchor);
  });
});
