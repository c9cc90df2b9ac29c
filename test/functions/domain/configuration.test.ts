import { describe, expect, it } from 'vitest';
import { DEFAULT_GUARDRAILS } from '../../../functions/domain/configuration.ts';
import { configuration } from './fixtures.ts';

const own = { query: 'up', freshness: 'up', limit: 1, breachWhen: 'below', unit: '' };
const guardrailsOf = (cluster: Record<string, unknown>) =>
  configuration(cluster).clusters['redis-master']?.guardrails ?? {};

describe('a cluster', () => {
  it('has data that may not be lost, unless its configuration says so', () => {
    expect(configuration().clusters['redis-master']).toMatchObject({
      disposable: false,
      instanceStoreDataMayBeLost: false,
    });
  });

  it.each(['var/lib', '/data dir', '/', '/a;b', '/$(id)'])(
    'refuses %j as data directory, which goes to hosts',
    (path) => {
      expect(() => configuration({ dataDirectory: path })).toThrow(/dataDirectory/);
    },
  );
});

describe('guardrails of a cluster', () => {
  it('are the defaults when none is configured', () => {
    expect(guardrailsOf({})).toEqual(DEFAULT_GUARDRAILS);
  });

  it('keep every default beside one that is replaced and one that is added', () => {
    const guardrails = guardrailsOf({ guardrails: { errorRatePct: own, replicationLag: own } });
    expect(Object.keys(guardrails).sort()).toEqual([...Object.keys(DEFAULT_GUARDRAILS), 'replicationLag'].sort());
    expect(guardrails.errorRatePct).toMatchObject(own);
    expect(guardrails.p99WriteLatencyMs).toEqual(DEFAULT_GUARDRAILS.p99WriteLatencyMs);
  });
});
