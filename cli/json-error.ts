/**
 * Where a text stops being JSON, as an offset. Node says so for some errors only, so the shortest beginning of the text
 * that no continuation could mend is searched for: its last character is the wrong one.
 */
export function jsonErrorOffset(text: string): number {
  let [mendable, broken] = [0, text.length];
  if (isMendable(text)) return text.length;
  while (broken - mendable > 1) {
    const middle = Math.floor((mendable + broken) / 2);
    if (isMendable(text.slice(0, middle))) mendable = middle;
    else broken = middle;
  }
  return broken - 1;
}

/** Whether JSON.parse had nothing against a text but that it ends. */
function isMendable(beginning: string): boolean {
  try {
    JSON.parse(beginning);
    return true;
  } catch (error) {
    const said = error instanceof Error ? error.message : '';
    const position = /at position (\d+)/.exec(said)?.[1];
    return (
      said.startsWith('Unexpected end') ||
      said.startsWith('Unterminated string') ||
      (position !== undefined && Number(position) >= beginning.length)
    );
  }
}
