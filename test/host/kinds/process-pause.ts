import type { KindCase } from '../kind-case.ts';
import { storeState } from '../load.ts';
import { PORT } from '../wire.ts';

/** By its worker: a pause that is longer than any test. */
export const processPause: KindCase = {
  kind: 'process-pause',
  runsIn: 'namespace',
  parameters: { pauseSeconds: '600', repeatEverySeconds: '0' },
  isThere: async (host) => (await storeState(host, PORT)).state === 'T',
  traces: async (host) => {
    const { pid, state } = await storeState(host, PORT);
    return `${pid} ${state === 'T' ? 'stopped' : 'runs'}`;
  },
};
