import { isObject, type Json, type JsonObject } from '../protocol/json.ts';

/**
 * EventBridge's input transformer, as far as AWS documents it: a name alone stands for the JSON of what its path leads to; in a
 * template that is a text in quotes, for the text itself.
 * @returns what the target is given
 * @throws Error for a name without a path, a path that leads nowhere, a predefined name, or what is no JSON in the end
 */
export function transformInput(transformer: JsonObject, event: JsonObject): string {
  const { InputPathsMap: paths = {}, InputTemplate: template } = transformer;
  if (typeof template !== 'string' || !isObject(paths)) throw new Error('input transformer: InputTemplate is a string');
  const isText = template.trimStart().startsWith('"');
  const filled = template.replace(/<([^<>]+)>/g, (_, name: string) => {
    const path = paths[name];
    if (typeof path !== 'string') throw new Error(`input transformer: nothing says what <${name}> is`);
    const value = valueAt(path, event);
    if (!isText) return JSON.stringify(value);
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    return JSON.stringify(text).slice(1, -1);
  });
  // Quotes around a name would be two pairs of quotes around a text: AWS says nothing of that.
  JSON.parse(filled);
  return filled;
}

function valueAt(path: string, event: JsonObject): Json {
  const names = /^\$((?:\.[A-Za-z0-9_-]+)+)$/.exec(path)?.[1]?.slice(1).split('.');
  if (names === undefined) throw new Error(`input transformer: the lab knows paths of names, not ${path}`);
  let at: Json = event;
  for (const name of names) {
    const next: Json | undefined = isObject(at) && Object.hasOwn(at, name) ? at[name] : undefined;
    if (next === undefined) throw new Error(`input transformer: ${path} leads nowhere in this event`);
    at = next;
  }
  return at;
}
