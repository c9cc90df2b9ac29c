import fc from 'fast-check';

/** Long before the test is over its time, so that it says what was found; the nightly run has more cases than time. */
const LIMIT_MS = 15_000;

/** What holds for all cases; a counterexample is made smaller for as long as there is time. */
export async function holds<Cases>(property: fc.IAsyncProperty<Cases>, numRuns?: number): Promise<void> {
  await fc.assert(property, { interruptAfterTimeLimit: LIMIT_MS, ...(numRuns && { numRuns }) });
}
