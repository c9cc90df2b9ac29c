/** @throws Error for what is no number of runs. */
export function runsFrom(text: string | undefined, otherwise: number): number {
  if (text === undefined || text === '') return otherwise;
  if (/^[1-9]\d{0,2}$/.test(text)) return Number(text);
  throw new Error(`FAILOVERS: ${text} is not a whole number from 1 to 999`);
}
