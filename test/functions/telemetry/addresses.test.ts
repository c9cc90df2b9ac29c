import { describe, expect, it } from 'vitest';
import { addressesOf, telemetryAddresses } from '../../../functions/telemetry/addresses.ts';
import { configuration, redisCluster } from '../domain/configuration-fixtures.ts';

describe('telemetry addresses', () => {
  it('are those behind the host of the URL, also when that is an address', async () => {
    expect(await addressesOf('http://127.0.0.1:9090')).toEqual(['127.0.0.1']);
    expect(await addressesOf('http://[::1]:9090/')).toEqual(['::1']);
    expect(await addressesOf('http://localhost:9090')).not.toEqual([]);
  });
});

describe('telemetry that no fault may hit', () => {
  const at = (host: string) => ({ telemetry: { prometheusUrl: `http://${host}:9090` } });
  const all = configuration(at('own'), { other: at('other'), same: at('own') });
  const resolverOf = (known: Record<string, string[]>) => async (url: string) => {
    const found = known[new URL(url).hostname];
    if (!found) throw new Error('no address');
    return found;
  };

  it('is that of every cluster of the deployment: another experiment may be watched by it', async () => {
    const resolve = resolverOf({ own: ['10.0.0.1'], other: ['10.0.0.2', '10.0.0.1'] });
    expect(await telemetryAddresses(redisCluster(at('own')), all, resolve)).toEqual(['10.0.0.1', '10.0.0.2']);
  });

  it('is unknown when that of the cluster itself has no address, and only then', async () => {
    expect(await telemetryAddresses(redisCluster(at('own')), all, resolverOf({ own: ['10.0.0.1'] }))).toEqual([
      '10.0.0.1',
    ]);
    await expect(telemetryAddresses(redisCluster(at('own')), all, resolverOf({ other: ['10.0.0.2'] }))).rejects.toThrow(
      'no address',
    );
  });
});
