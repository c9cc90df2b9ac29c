import { cut } from './limits.ts';

/** SNS takes fewer than 100 characters. */
export const MAX_SUBJECT_CHARACTERS = 99;
/** Of a message of SNS. */
export const MAX_MESSAGE_BYTES = 256 * 1024;
/** A phone shows no more, and in UTF-8 all of it stays far below what SNS takes. */
const MAX_BODY_LINES = 30;
const MAX_LINE_CHARACTERS = 300;

/** A subject as e-mail takes it: printable ASCII in one line, of at most `MAX_SUBJECT_CHARACTERS`. */
export function subjectOf(text: string): string {
  const line = oneLine(text).replace(/[^\x20-\x7e]/gu, '?');
  if (line.length <= MAX_SUBJECT_CHARACTERS) return line;
  return `${line.slice(0, MAX_SUBJECT_CHARACTERS - 3)}...`;
}

/** Lines of a body, each without line breaks and control characters and cut, and not more of them than anybody reads. */
export function bodyOf(lines: readonly string[]): string {
  const shown = lines.length > MAX_BODY_LINES ? [...lines.slice(0, MAX_BODY_LINES - 1), 'and more'] : lines;
  return shown.map((line) => cut(oneLine(line), MAX_LINE_CHARACTERS)).join('\n');
}

/** Also without the marks that turn the direction of writing: a name in a message must not hide what stands behind it. */
function oneLine(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu, ' ')
    .replace(/ {2,}/g, ' ')
    .trim();
}
