import { iso } from './fixtures.ts';

/** As the template makes it. */
export const firing = (change: Record<string, unknown> = {}) => ({
  ...{ alert: 'HoldfastErrorRatePct', cluster: 'redis-master', severity: 'CRITICAL', summary: 'errorRatePct is 3.2 %' },
  ...{ startsAt: iso(20), ...change },
});

export const messageOf = (alerts: readonly unknown[], change: Record<string, unknown> = {}): string =>
  JSON.stringify({ holdfast: 1, firing: alerts, total: alerts.length, resolved: 0, ...change });
