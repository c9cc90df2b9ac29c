import { describe, expect, it } from 'vitest';
import { addressesOf } from '../../../functions/telemetry/addresses.ts';

describe('telemetry addresses', () => {
  it('are those behind the host of the URL, also when that is an address', async () => {
    expect(await addressesOf('http://127.0.0.1:9090')).toEqual(['127.0.0.1']);
    expect(await addressesOf('http://[::1]:9090/')).toEqual(['::1']);
    expect(await addressesOf('http://localhost:9090')).not.toEqual([]);
  });
});
