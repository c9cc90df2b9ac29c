import fc from 'fast-check';

/** The nightly run asks for more random cases of every property that does not name a number of its own. */
const runs = Number(process.env.PROPERTY_RUNS);
if (runs > 0) fc.configureGlobal({ numRuns: runs });
