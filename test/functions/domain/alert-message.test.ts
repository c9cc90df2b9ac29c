import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_MESSAGE_BYTES, MESSAGE_SUBJECT, readAlertMessage } from '../../../functions/domain/alert-message.ts';
import { firing, messageOf } from './alert-message-fixtures.ts';
import { codePoint } from './code-point.ts';

const refusalOf = (body: string): string => {
  const read = readAlertMessage(body);
  return 'refused' in read ? read.refused : 'read';
};

describe('the message of an Alertmanager', () => {
  it('is read with every alert in it', () => {
    expect(readAlertMessage(messageOf([firing(), firing({ cluster: '' })], { total: 12, resolved: 3 }))).toEqual({
      ...{ holdfast: 1, firing: [firing(), firing({ cluster: '' })], total: 12, resolved: 3 },
    });
  });

  it.each([
    ['critical', 'CRITICAL'],
    ['Warning', 'WARNING'],
    [' info ', 'INFO'],
    ['none', 'NONE'],
    ['page', 'CRITICAL'],
    ['', 'CRITICAL'],
  ])('has the severity %j, which is %s: what nobody knows is the worst', (label, severity) => {
    expect(readAlertMessage(messageOf([firing({ severity: label })]))).toMatchObject({ firing: [{ severity }] });
  });

  it.each<[what: string, body: string, why: RegExp]>([
    ['the default text of an Alertmanager', 'Alerts Firing:\nLabels:\n - alertname = X', /is not JSON/],
    ['cut off', messageOf([firing()]).slice(0, -1), /is not JSON/],
    ['of another version', messageOf([firing()], { holdfast: 2 }), /^holdfast: /],
    ['with a field of its own', messageOf([firing({ reason: 'x' })]), /firing\.0: /],
    ['without a field', JSON.stringify({ holdfast: 1, firing: [] }), /^total: .*resolved: /],
    ['with a name given twice', messageOf([firing()]).replace('"total"', '"total":1,"total"'), /given twice/],
    ['with a time that is none', messageOf([firing({ startsAt: 'now' })]), /firing\.0\.startsAt: /],
    ['with a number for a text', messageOf([firing({ cluster: 7 })]), /firing\.0\.cluster: /],
    ['with more alerts than the template tells of', messageOf(Array.from({ length: 11 }, () => firing())), /^firing: /],
    ['a list', '[]', /is not an object/],
    ['empty', '', /is not JSON/],
  ])('is refused when it is %s', (_what, body, why) => {
    expect(refusalOf(body)).toMatch(why);
  });

  it('is refused by its size before anybody reads it', () => {
    const body = messageOf([firing()]).padEnd(MAX_MESSAGE_BYTES, ' ');
    expect(refusalOf(body)).toBe('read');
    expect(refusalOf(`${body} `)).toBe(`has ${MAX_MESSAGE_BYTES + 1} bytes, at most ${MAX_MESSAGE_BYTES}`);
    expect(refusalOf('é'.repeat(MAX_MESSAGE_BYTES / 2 + 1))).toMatch(/^has /);
  });

  it('has a subject that SNS takes', () => {
    expect(MESSAGE_SUBJECT).toMatch(/^[A-Za-z][ -~]{0,98}$/);
  });

  it('is read or refused, whatever it is', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: codePoint }),
          fc.json(),
          fc.object().map((o) => JSON.stringify(o)),
        ),
        (body) => {
          expect(['refused', 'firing'].some((key) => key in readAlertMessage(body))).toBe(true);
        },
      ),
    );
  });
});
