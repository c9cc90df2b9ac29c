import type { Host } from '../host.ts';
import type { KindCase } from '../kind-case.ts';

/** How far the host's wall clock is ahead of this machine's, which no fault touches. */
async function aheadSeconds(host: Host): Promise<number> {
  const beforeMs = Date.now();
  const own = Number((await host.exec(['date', '+%s.%N'])).out);
  return own - (beforeMs + Date.now()) / 2000;
}

export const clockDrift: KindCase = {
  kind: 'clock-drift',
  runsIn: 'guest',
  parameters: { offsetMs: '120000', disposable: 'yes' },
  isThere: async (host) => (await aheadSeconds(host)) > 60,
  traces: async (host) => {
    const right = Math.abs(await aheadSeconds(host)) < 1;
    return `clock right: ${right}, chrony ${(await host.exec(['systemctl', 'is-active', 'chrony'])).out}`;
  },
};
