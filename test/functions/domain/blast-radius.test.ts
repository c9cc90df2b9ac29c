import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { limitsOf, refuseTooManyNodes, refuseTooMuchTraffic } from '../../../functions/domain/blast-radius.ts';

const limits = fc.record({
  maxNodesPct: fc.double({ min: 0, max: 100, noNaN: true }),
  maxTrafficSharePct: fc.double({ min: 0, max: 100, noNaN: true }),
});

describe('the blast radius', () => {
  it('never lets production exceed a tenth of the nodes or of the traffic, whatever is configured', () => {
    fc.assert(
      fc.property(
        limits,
        fc.integer({ min: 1, max: 100 }),
        fc.integer({ min: 0, max: 400 }),
        fc.double(),
        (blastRadius, impacted, live, share) => {
          const production = limitsOf({ tier: 'production', blastRadius });
          if (!refuseTooManyNodes(impacted, live, production)) expect(10 * impacted).toBeLessThanOrEqual(live);
          if (!refuseTooMuchTraffic(share, production)) expect(share >= 0 && share <= 0.1).toBe(true);
        },
      ),
    );
  });

  it('allows exactly a tenth of the nodes', () => {
    const production = limitsOf({ tier: 'production', blastRadius: { maxNodesPct: 10, maxTrafficSharePct: 10 } });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 50 }),
        (impacted) => refuseTooManyNodes(impacted, 10 * impacted, production) === undefined,
      ),
    );
    expect(refuseTooManyNodes(2, 19, production)).toMatchObject({ maxImpactedNodes: 1, liveNodes: 19 });
  });

  it('lets staging set its own limits', () => {
    expect(limitsOf({ tier: 'staging', blastRadius: { maxNodesPct: 50, maxTrafficSharePct: 100 } }).maxNodesPct).toBe(
      50,
    );
  });
});
