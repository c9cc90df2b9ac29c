/** PromQL as text: no more of the language than what a configuration is checked by and a query is made from. */

const SECONDS: Record<string, number> = {
  ...{ ms: 0.001, s: 1, m: 60, h: 3600 },
  ...{ d: 86_400, w: 7 * 86_400, y: 365 * 86_400 },
};

/** Strings and comments, in which a bracket means nothing. */
const OPAQUE = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`|#.*$/gm;

/** The ranges in an expression, of a subquery the whole. Seconds; NaN for one that is no duration. */
export function rangesOf(promQl: string): { text: string; seconds: number }[] {
  return [...promQl.replaceAll(OPAQUE, '').matchAll(/\[([^\]:]*)(?::[^\]]*)?\]/g)].map(([text, range = '']) => ({
    text,
    seconds: durationSeconds(range.trim()),
  }));
}

function durationSeconds(text: string): number {
  if (/^\d+(?:\.\d+)?$/.test(text)) return Number(text);
  const parts = [...text.matchAll(/(\d+)(ms|[smhdwy])/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== text) return Number.NaN;
  return parts.reduce((sum, [, count, unit = '']) => sum + Number(count) * (SECONDS[unit] ?? Number.NaN), 0);
}

/** A selector with another name and more matchers. @param selector as `selector` of telemetry.ts takes it. */
export function narrowed(selector: string, change: { suffix?: string; matchers?: readonly string[] }): string {
  const brace = selector.indexOf('{');
  const name = brace < 0 ? selector : selector.slice(0, brace);
  const own = brace < 0 ? '' : selector.slice(brace + 1, -1).replace(/[\s,]+$/, '');
  const matchers = [...(own === '' ? [] : [own]), ...(change.matchers ?? [])];
  return `${name}${change.suffix ?? ''}${matchers.length === 0 ? '' : `{${matchers.join(',')}}`}`;
}

/** Whether every bracket is closed, in its order, and no quote or comment is open at the end. */
export function isClosed(promQl: string): boolean {
  const code = promQl.replaceAll(OPAQUE, (text) => (text.startsWith('#') ? '#' : ''));
  const open: string[] = [];
  for (const character of code) {
    if ('"\'`#'.includes(character)) return false;
    const closes = { ')': '(', ']': '[', '}': '{' }[character];
    if ('([{'.includes(character)) open.push(character);
    else if (closes !== undefined && open.pop() !== closes) return false;
  }
  return open.length === 0;
}
