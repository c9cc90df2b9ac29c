import type { KindCase } from '../kind-case.ts';
import { DATA_DIRECTORY, dataVolume, mountDataVolume } from '../load.ts';

const FULL_PCT = 90;

export const diskFull: KindCase = {
  kind: 'disk-full',
  runsIn: 'namespace',
  parameters: {
    dataDirectory: DATA_DIRECTORY,
    fillPct: String(FULL_PCT),
    fillBytes: '0',
    reserveBytes: '1048576',
    allowRootVolume: 'no',
  },
  prepare: (host) => mountDataVolume(host),
  isThere: async (host) => (await dataVolume(host)).usedPct > FULL_PCT - 1,
  traces: async (host) => {
    const files = (await host.exec(['ls', '-A', DATA_DIRECTORY])).out;
    return `${(await dataVolume(host)).freeBytes} free, files: ${files}`;
  },
};
