/** Ends this process when all that it has said is written: what waits for a full pipe would be lost. */
export function exitWhenWritten(code: number): void {
  process.stdout.write('', () => process.exit(code));
}
