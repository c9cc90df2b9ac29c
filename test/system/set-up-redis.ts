import { startSystemLab } from './set-up.ts';

export const ENGINES = ['redis', 'redis-tls'] as const;

/** With SYSTEM_LAB=up there is one already, see keep-lab.ts. */
export default async function setUp(): Promise<(() => Promise<void>) | undefined> {
  return process.env.SYSTEM_LAB === 'up' ? undefined : startSystemLab(ENGINES);
}
