/**
 * What a variable that switches a part of the lab says.
 * @param value absent: `on`
 * @throws Error naming the variable and what it may say
 */
export function isOn(variable: string, value = 'on'): boolean {
  if (value === 'on' || value === 'off') return value === 'on';
  throw new Error(`${variable}: ${JSON.stringify(value)} is neither on nor off`);
}
