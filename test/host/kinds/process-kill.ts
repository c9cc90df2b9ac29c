import type { KindCase } from '../kind-case.ts';
import { PORT } from '../wire.ts';
import { World } from '../world.ts';

/** The unit stays down until the revert starts it; everything it leaves behind is that it runs again. */
export const processKill: KindCase = {
  kind: 'process-kill',
  runsIn: 'namespace',
  ownStore: true,
  parameters: { signal: 'KILL', restart: 'rollback' },
  prepare: async (host) => {
    if (host instanceof World) await host.startUnit();
  },
  isThere: async (host) => !(await host.connects('client', PORT)),
  traces: async (host) => ((await host.connects('client', PORT)) ? 'the store answers' : 'the store does not answer'),
};
