import type { KindCase } from '../kind-case.ts';
import { controlGroups, DATA_DIRECTORY, dataVolume, mountDataVolume, ratePerSecond } from '../load.ts';

const BYTES_PER_SECOND = 8 * 1024 * 1024;

export const diskIo: KindCase = {
  kind: 'disk-io',
  runsIn: 'namespace',
  parameters: { dataDirectory: DATA_DIRECTORY, workers: '2', bytesPerSecond: String(BYTES_PER_SECOND) },
  prepare: (host) => mountDataVolume(host),
  isThere: async (host) =>
    (await ratePerSecond(host, 'load_disk', ({ ioBytes }) => ioBytes, 0.5)) > BYTES_PER_SECOND / 4,
  traces: async (host) => `${await controlGroups(host)} ${(await dataVolume(host)).freeBytes} free`,
};
