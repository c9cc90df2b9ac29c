import type { Cluster } from '../domain/configuration.ts';

const DAYS = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'] as const;

/** Whether an experiment may start now; `endHourUtc` itself is outside. */
export function insideWindow(window: NonNullable<Cluster['window']>, nowEpochMs: number): boolean {
  const now = new Date(nowEpochMs);
  const day = DAYS[now.getUTCDay()];
  const hour = now.getUTCHours();
  return (
    day !== undefined && window.daysOfWeek.includes(day) && hour >= window.startHourUtc && hour < window.endHourUtc
  );
}
