/**
 * Whether of `n` independent trials, each a success with `successPct` percent, at most `failures` fail with a
 * probability of at most `alphaPct` percent: P(Binomial(n, successPct/100) ≥ n − failures) ≤ alphaPct/100.
 * Exact: both sides are multiplied by 100^(n+1) and compared as integers.
 */
export function isTailAtMost(n: number, failures: number, successPct: number, alphaPct: number): boolean {
  const success = BigInt(successPct);
  const failure = 100n - success;
  // C(n, i) · failure^i · success^(n − i), from i = 0 on; each division is exact.
  let term = success ** BigInt(n);
  let sum = term;
  for (let i = 1n; i <= BigInt(failures); i += 1n) {
    term = (term * (BigInt(n) - i + 1n) * failure) / (i * success);
    sum += term;
  }
  return sum * 100n <= BigInt(alphaPct) * 100n ** BigInt(n);
}
