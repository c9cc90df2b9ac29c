import { describe, expect, it } from 'vitest';
import { ENGINE_NAMES, parseConfiguration } from '../../../functions/engines/configuration.ts';
import { configuration } from '../domain/configuration-fixtures.ts';

describe('the engine of a cluster', () => {
  it.each(['scylla', 'Redis', '', undefined, 1])(
    'is refused when it is %s, with the names of those there are',
    (engine) => {
      expect(() => configuration({ engine })).toThrow(
        `holdfast.config.ts is not valid:\n  clusters.redis-master.engine: one of ${ENGINE_NAMES.join(', ')}`,
      );
    },
  );

  it('has its own part of the configuration, and no other engine’s', () => {
    expect(configuration({ redis: { sentinelPort: 27_000 } }).clusters['redis-master']).toMatchObject({
      redis: { sentinelPort: 27_000, minReplicasToWrite: 1 },
    });
    expect(() => configuration({ kafka: {} })).toThrow(/clusters\.redis-master: .*kafka/);
  });
});

describe('a configuration', () => {
  it('is refused with one line for each field, so that all can be corrected at once', () => {
    const text = () => configuration({ unit: 'a b', port: 0, tier: 'live' }, { 'not a name': {} });
    for (const field of ['unit', 'port', 'tier']) expect(text).toThrow(`clusters.redis-master.${field}: `);
    expect(() => parseConfiguration(undefined)).toThrow(/\(top level\)/);
  });

  it('tells Sentinel from the store by its port, and takes no wildcard for a tag', () => {
    expect(() => configuration({ port: 26_379 })).toThrow(/redis\.sentinelPort: is a port of the store/);
    expect(() => configuration({ selectTags: { service: 'redis-*' } })).toThrow(/selectTags\.service: .*wildcard/);
  });

  it('names a cluster at least', () => {
    expect(() => parseConfiguration({ ...configuration(), clusters: {} })).toThrow(/clusters: at least one cluster/);
  });
});
