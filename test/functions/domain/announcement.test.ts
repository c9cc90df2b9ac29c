import { describe, expect, it } from 'vitest';
import { mustBeAnnounced, requireAnnounced } from '../../../functions/domain/announcement.ts';
import { parseConfiguration } from '../../../functions/engines/configuration.ts';
import labConfiguration from '../../../lab/holdfast.config.ts';
import { configuration } from './configuration-fixtures.ts';
import { EPOCH_MS, iso, logOf } from './fixtures.ts';

const announce = { leadSeconds: 60, alsoClusters: ['redis-tls'] };
const cluster = (name: string, tier: 'production' | 'staging') => ({ cluster: name, tier });

describe('an announcement', () => {
  it('is needed in production, and where the configuration names the cluster; nowhere without one', () => {
    expect(mustBeAnnounced([cluster('a', 'production')], announce)).toBe(true);
    expect(mustBeAnnounced([cluster('a', 'staging'), cluster('b', 'production')], announce)).toBe(true);
    expect(mustBeAnnounced([cluster('redis-tls', 'staging')], announce)).toBe(true);
    expect(mustBeAnnounced([cluster('a', 'staging')], announce)).toBe(false);
    expect(mustBeAnnounced([cluster('a', 'production')], undefined)).toBe(false);
  });

  it('must be in the log before anything is injected in production', () => {
    const log = logOf('exp', ['ADMITTED']);
    expect(() => requireAnnounced(log, announce, EPOCH_MS)).toThrow('not announced');
    expect(() => requireAnnounced(log, undefined, EPOCH_MS)).not.toThrow();
  });

  it('is kept: nothing is injected earlier than people were told, also where nobody knows when that was', () => {
    const announced = (startsAt: string) => logOf('exp', ['ADMITTED'], ['ANNOUNCED', { startsAt }]);
    expect(() => requireAnnounced(announced(iso(60)), announce, EPOCH_MS + 59_999)).toThrow(iso(60));
    expect(() => requireAnnounced(announced(iso(60)), announce, EPOCH_MS + 60_000)).not.toThrow();
    expect(() => requireAnnounced(announced('soon'), announce, EPOCH_MS)).toThrow('soon');
    // A configuration that asks for none any more: what was promised stays promised.
    expect(() => requireAnnounced(announced(iso(60)), undefined, EPOCH_MS)).toThrow(iso(60));
  });
});

describe('notifications in a configuration', () => {
  const parsed = (notifications: unknown) => parseConfiguration({ ...labConfiguration, notifications });

  it('announce nothing unless they are told to, and then at once', () => {
    expect(parsed(undefined).notifications).toEqual({ topics: {} });
    expect(parsed({ announce: {} }).notifications.announce).toEqual({ leadSeconds: 0, alsoClusters: [] });
  });

  it('must say of a production cluster whether its starts are announced, and with false they are not', () => {
    const production = (notifications: object) =>
      configuration({ tier: 'production' }, {}, {}, { notifications }).notifications.announce;
    expect(() => production({})).toThrow(
      'notifications.announce: is needed beside a production cluster (redis-master)',
    );
    expect(production({ announce: false })).toBe(false);
    expect(mustBeAnnounced([cluster('redis-master', 'production')], false)).toBe(false);
  });

  it.each([
    [{ topics: { INFO: 'arn:aws:sns:eu-west-1:111122223333:a.fifo' } }, 'notifications.topics.INFO'],
    [{ topics: { ERROR: 'arn:aws:sns:eu-west-1:111122223333:a' } }, 'notifications.topics'],
    [{ announce: { leadSeconds: 601 } }, 'notifications.announce.leadSeconds'],
    [{ announce: { leadSeconds: -1 } }, 'notifications.announce.leadSeconds'],
    [
      { announce: { alsoClusters: ['redis-tsl'] } },
      'notifications.announce.alsoClusters.0: is not a cluster; there are redis-master',
    ],
  ])('refuse %o and name the field', (notifications, field) => {
    expect(() => parsed(notifications)).toThrow(field);
  });
});
