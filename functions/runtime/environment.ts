/**
 * Reads an environment variable that the stack sets on this function.
 * @throws Error naming the variable: a function that is wired wrongly must not run at all.
 */
export function environmentVariable(name: string): string {
  const value = process.env[name];
  if (value === undefined || value === '') throw new Error(`environment variable ${name} is not set`);
  return value;
}
