import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  clusterAt,
  DEFAULT_GUARDRAILS,
  portsOf,
  secretNamesOf,
  serverNameOf,
} from '../../../functions/domain/configuration.ts';
import { guardrailsOf } from '../../../functions/domain/guardrail-queries.ts';
import { rangesOf } from '../../../functions/domain/promql.ts';
import { telemetrySecretNames, workspaceOf } from '../../../functions/domain/telemetry-access.ts';
import { configuration, redisCluster } from './configuration-fixtures.ts';

const own = { kind: 'PROMQL', query: 'up', freshness: 'up', control: 'up', limit: 1, breachWhen: 'below', unit: '' };
const PROMETHEUS = 'http://prometheus.example';
const resolved = (cluster: Record<string, unknown>) => guardrailsOf(redisCluster(cluster));

describe('a cluster', () => {
  it('has data that may not be lost, unless its configuration says so', () => {
    expect(redisCluster()).toMatchObject({ disposable: false, instanceStoreDataMayBeLost: false });
  });

  it.each(['var/lib', '/data dir', '/', '/a;b', '/$(id)'])(
    'refuses %j as data directory, which goes to hosts',
    (path) => {
      expect(() => configuration({ dataDirectory: path })).toThrow(/dataDirectory/);
    },
  );
});

describe('the tags of two clusters', () => {
  const tagged = (selectTags: Record<string, string>, others: Record<string, string>) => () =>
    configuration({ selectTags }, { other: { selectTags: others } });

  it.each([
    ['the same', { service: 'a' }, { service: 'a' }],
    ['more than the other’s', { service: 'a' }, { service: 'a', environment: 'b' }],
    ['others than the other’s', { service: 'a' }, { role: 'b' }],
    ['of a name that every object has', { service: 'a' }, { constructor: 'b' }],
  ])('are refused when one instance could carry both: %s', (_what, one, other) => {
    const message = 'clusters.other.selectTags: an instance could carry these tags and those of redis-master';
    expect(tagged(one, other)).toThrow(message);
    expect(tagged(other, one)).toThrow(message);
  });

  it('are taken when they share a key with different values', () => {
    expect(tagged({ service: 'a', zone: 'x' }, { service: 'b', zone: 'x' })).not.toThrow();
  });

  it('never select one instance for two clusters that are taken', () => {
    const tags = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.constantFrom('1', '2'), { minKeys: 1 });
    const carries = (instance: Record<string, string>, wanted: Record<string, string>) =>
      Object.entries(wanted).every(([key, value]) => instance[key] === value);
    fc.assert(
      fc.property(tags, tags, (one, other) => {
        const instance = { ...one, ...other };
        const both = carries(instance, one) && carries(instance, other);
        if (both) expect(tagged(one, other)).toThrow('an instance could carry');
        else expect(tagged(one, other)).not.toThrow();
      }),
    );
  });
});

describe('the URL of telemetry, which every function carries in plain text', () => {
  it.each([
    'http://user:secret@prometheus',
    'http://user@prometheus',
    'http://:secret@prometheus',
    'http://prometheus?token=secret',
    'http://prometheus/#secret',
  ])('may hold no credentials: %s', (prometheusUrl) => {
    expect(() => configuration({ telemetry: { prometheusUrl } })).toThrow(
      'clusters.redis-master.telemetry.prometheusUrl: no user, password, query or fragment',
    );
  });

  it.each(['http://prometheus.example:9090', 'https://prometheus.example/prometheus/'])(
    'may have a path: %s',
    (prometheusUrl) => {
      expect(redisCluster({ telemetry: { prometheusUrl } }).telemetry.prometheusUrl).toBe(prometheusUrl);
    },
  );
});

describe('the name of an alarm', () => {
  it.each(['Checkout / 5xx rate (eu-west-1)', 'disk: 90 % – données', 'x'.repeat(255)])(
    'is whatever CloudWatch takes: %s',
    (name) => {
      expect(redisCluster({ alarms: [{ name }] }).alarms).toEqual([{ name, severity: 'CRITICAL' }]);
    },
  );

  it.each(['', 'x'.repeat(256), 'two\nlines', 'a\u007fb'])('is refused where CloudWatch would: %j', (name) => {
    expect(() => configuration({ alarms: [{ name }] })).toThrow(
      'clusters.redis-master.alarms.0.name: 1-255 characters',
    );
  });
});

describe('what a cluster is opened with', () => {
  it('travels in plain text in staging only', () => {
    expect(() => configuration({ tls: undefined })).toThrow(
      /clusters\.redis-master\.tls: .*only a cluster of tier "staging"/,
    );
    expect(redisCluster({ tier: 'staging', tls: undefined }).tls).toBeUndefined();
    for (const tls of [true, false, {}]) expect(() => configuration({ tls })).toThrow(/redis-master\.tls/);
  });

  it('goes to instances that have more than tags', () => {
    expect(() => configuration({ secretName: 'redis' })).toThrow(
      /redis-master\.credentialsFor: is needed beside secretName/,
    );
    expect(() => configuration({ credentialsFor: {} })).toThrow(/credentialsFor: a security group or a profile/);
  });

  it('names one authority for the functions, inside the checkout or a secret', () => {
    const serverName = 'redis.example';
    expect(() => configuration({ tls: { serverName, caSecret: 'a', caFile: 'b.pem' } })).toThrow(
      /tls\.caFile: may not stand beside caSecret/,
    );
    for (const caFile of ['/etc/ca.pem', '../ca.pem', 'a/../ca.pem', './ca.pem', ''])
      expect(() => configuration({ tls: { serverName, caFile } }), caFile).toThrow(/tls\.caFile/);
    expect(redisCluster({ tls: { serverName, caFile: 'certificates/redis-ca.pem' } }).tls?.caFile).toBeDefined();
  });

  it.each(['', '{name}.example', '*.example', 'a b', '10.0.0.1:1', '{node', 'a..b'])(
    'is for no server name like %j',
    (serverName) => {
      expect(() => configuration({ tls: { serverName } })).toThrow(/tls\.serverName/);
    },
  );

  it('expects the instance’s name in the certificates, also where it runs several stores', () => {
    const tls = { serverName: '{node}.redis.example' };
    const nameFor = (name: string, port = 6379) => serverNameOf(tls, { name, port });
    expect(nameFor('redis-node-1')).toBe('redis-node-1.redis.example');
    expect(nameFor('redis-node-1:6380', 6380)).toBe('redis-node-1.redis.example');
    expect(serverNameOf({ serverName: 'redis.example' }, { name: 'any', port: 1 })).toBe('redis.example');
    for (const odd of ['redis node', 'a/b', '{node}', '', 'x,y'])
      expect(() => nameFor(odd), odd).toThrow(/tls\.serverName/);
  });

  it('is every secret that is read for it', () => {
    const clientCertificate = { secretName: 'client', hostCertificateFile: '/c', hostKeyFile: '/k' };
    const tls = { serverName: 'redis.example', caSecret: 'ca', clientCertificate };
    expect(secretNamesOf({ secretName: 'redis', tls })).toEqual(['redis', 'ca', 'client']);
    expect(secretNamesOf({})).toEqual([]);
  });
});

describe('how a cluster’s Prometheus is opened', () => {
  const secured = 'https://prometheus.example';
  const workspace = 'https://aps-workspaces.eu-west-1.amazonaws.com/workspaces/ws-0a1b2c3d';
  const secretName = 'prometheus';
  const opened = (telemetry: object, change: object = {}) => configuration({ telemetry, ...change });

  it.each([
    ['basic', { prometheusUrl: secured, auth: { basic: { secretName } } }, [secretName]],
    [
      'bearer',
      { prometheusUrl: secured, auth: { bearer: { secretName } }, tls: { caSecret: 'ca' } },
      [secretName, 'ca'],
    ],
    ['clientCertificate', { prometheusUrl: secured, auth: { clientCertificate: { secretName } } }, [secretName]],
    ['sigV4', { prometheusUrl: workspace, auth: { sigV4: { region: 'eu-west-1' } } }, []],
  ])('is one of four ways, of which the secrets alone are named: %s', (_way, telemetry, names) => {
    expect(telemetrySecretNames(redisCluster({ telemetry }).telemetry)).toEqual(names);
  });

  it.each<[what: string, field: string, telemetry: object]>([
    ['no way', 'telemetry.auth: exactly one of basic, bearer', { prometheusUrl: secured, auth: {} }],
    [
      'two ways',
      'telemetry.auth: exactly one of basic, bearer',
      { prometheusUrl: secured, auth: { basic: { secretName }, bearer: { secretName } } },
    ],
    [
      'a password itself',
      'telemetry.auth.basic',
      { prometheusUrl: secured, auth: { basic: { username: 'a', password: 'b' } } },
    ],
    [
      'a token itself',
      'telemetry.auth.bearer.secretName: the name of a secret',
      { prometheusUrl: secured, auth: { bearer: { secretName: 'a b' } } },
    ],
    ['another way', 'telemetry.auth', { prometheusUrl: secured, auth: { digest: { secretName } } }],
    [
      'a Region that is none',
      'telemetry.auth.sigV4.region',
      { prometheusUrl: workspace, auth: { sigV4: { region: 'Ireland' } } },
    ],
    [
      'no workspace to sign for',
      'telemetry.prometheusUrl: must end with /workspaces/',
      { prometheusUrl: secured, auth: { sigV4: { region: 'eu-west-1' } } },
    ],
    [
      'a certificate over no TLS',
      'telemetry.prometheusUrl: must be https beside auth.clientCertificate',
      { prometheusUrl: PROMETHEUS, auth: { clientCertificate: { secretName } } },
    ],
    [
      'an authority over no TLS',
      'telemetry.prometheusUrl: must be https beside tls',
      { prometheusUrl: PROMETHEUS, tls: { caFile: 'ca.pem' } },
    ],
    [
      'two authorities',
      'telemetry.tls.caFile: may not stand beside caSecret',
      { prometheusUrl: secured, tls: { caFile: 'ca.pem', caSecret: 'ca' } },
    ],
  ])('is refused with %s, by the name of the field', (_what, message, telemetry) => {
    expect(() => opened(telemetry)).toThrow(`clusters.redis-master.${message}`);
  });

  it('sends its credentials in plain text in staging only', () => {
    const telemetry = { prometheusUrl: PROMETHEUS, auth: { bearer: { secretName } } };
    expect(() => opened(telemetry)).toThrow(
      /redis-master\.telemetry\.prometheusUrl: must be https beside auth: only .*"staging"/,
    );
    expect(() => opened(telemetry, { tier: 'staging' })).not.toThrow();
  });

  it('is the workspace of AMP that its URL ends with', () => {
    const { telemetry } = redisCluster({
      telemetry: { prometheusUrl: `${workspace}/`, auth: { sigV4: { region: 'eu-west-1' } } },
    });
    expect(workspaceOf(telemetry)).toEqual({ id: 'ws-0a1b2c3d', region: 'eu-west-1' });
    expect(workspaceOf(redisCluster({ telemetry: { prometheusUrl: workspace } }).telemetry)).toBeUndefined();
  });
});

describe('an alarm', () => {
  it.each(['orders 5xx / "eu" (P1)', 'größer als 5 %', '*', 'a'.repeat(255), '\u0085', '$(x)'])(
    'may have any name that CloudWatch takes: %j',
    (name) => {
      expect(redisCluster({ alarms: [{ name }] }).alarms).toEqual([{ name, severity: 'CRITICAL' }]);
    },
  );

  it.each(['', 'a'.repeat(256), 'a\nb', '\u007f'])('has no name that CloudWatch refuses: %j', (name) => {
    expect(() => configuration({ alarms: [{ name }] })).toThrow(/redis-master\.alarms\.0\.name: 1-255 characters/);
  });
});

describe('several stores on an instance', () => {
  const several = { port: [6379, 6380], unit: 'redis@{port}' };

  it('have one port each, and must be told apart by it in their unit', () => {
    expect(portsOf(redisCluster(several))).toEqual([6379, 6380]);
    expect(portsOf(redisCluster())).toEqual([6379]);
    expect(() => configuration({ ...several, unit: 'redis' })).toThrow(
      /clusters\.redis-master\.unit: must contain \{port\}/,
    );
    expect(() => configuration({ port: [6379], unit: 'redis' })).not.toThrow();
  });

  it.each([
    ['a port twice', [6379, 6380, 6379], /clusters\.redis-master\.port: names a port twice/],
    ['no port', [], /clusters\.redis-master\.port/],
    ['a port that is none', [6379, 65_536], /clusters\.redis-master\.port/],
    [
      'more ports than one rule of the packet filter takes, with Sentinel beside them',
      Array.from({ length: 15 }, (_, index) => 7000 + index),
      /redis-master\.port/,
    ],
  ])('are refused with %s', (_what, port, words) => {
    expect(() => configuration({ ...several, port })).toThrow(words);
  });

  it.each([
    ['unit', 'redis@{port', 'redis@{Port}', '{port}'],
    ['dataDirectory', '/data/{port', '/data/{}', '/data/{host}'],
  ])('have nothing in their %s that the host would be left to fill in', (field, ...texts) => {
    for (const text of texts) expect(() => configuration({ ...several, [field]: text }), text).toThrow(field);
  });

  it('are each the cluster with its own port in unit and directory, wherever and however often it stands', () => {
    const cluster = redisCluster({ ...several, unit: 'r{port}@{port}', dataDirectory: '/data/{port}/{port}-redis' });
    expect(clusterAt(cluster, 6380)).toEqual({
      ...cluster,
      ...{ port: 6380, unit: 'r6380@6380', dataDirectory: '/data/6380/6380-redis' },
    });
    expect(clusterAt(redisCluster(), 6379)).toEqual(redisCluster());
  });
});

describe('guardrails of a cluster', () => {
  it('are the mission defaults when none is configured', () => {
    expect(resolved({})).toEqual(DEFAULT_GUARDRAILS);
    expect(DEFAULT_GUARDRAILS).toMatchObject({
      errorRatePct: {
        query:
          '100 * (sum(rate(http_requests_total{code=~"5.."}[5s])) or vector(0)) / clamp_min(sum(rate(http_requests_total[5s])), 0.001)',
        ...{ limit: 0.5, breachWhen: 'above', maxAgeSeconds: 3 },
      },
      p99WriteLatencyMs: {
        query: '1000 * histogram_quantile(0.99, sum by (le)(rate(http_write_duration_seconds_bucket[5s])))',
        ...{ limit: 200, breachWhen: 'above', maxAgeSeconds: 3 },
      },
      freeWorkersPct: {
        query: '100 * sum(gateway_workers_free) / sum(gateway_workers_max)',
        ...{ limit: 15, breachWhen: 'below', maxAgeSeconds: 3 },
      },
    });
  });

  it('keep every default beside one that is replaced and one that is added', () => {
    const guardrails = resolved({ guardrails: { errorRatePct: own, replicationLag: own } });
    expect(Object.keys(guardrails).sort()).toEqual([...Object.keys(DEFAULT_GUARDRAILS), 'replicationLag'].sort());
    expect(guardrails.errorRatePct).toMatchObject({ query: 'up', freshness: 'up', limit: 1, breachWhen: 'below' });
    expect(guardrails.p99WriteLatencyMs).toEqual(DEFAULT_GUARDRAILS.p99WriteLatencyMs);
  });

  it('are made of the series as they are named, with the matchers they have', () => {
    const { errorRatePct, p99WriteLatencyMs, freeWorkersPct } = resolved({
      telemetry: {
        prometheusUrl: PROMETHEUS,
        requests: { metric: 'envoy_requests{job="edge",}', statusLabel: 'status' },
        writeDuration: { metric: 'write_seconds{job="edge"}', histogram: 'native' },
        workers: { free: 'idle{job="edge"}', max: 'size{job="edge"}' },
      },
    });
    expect(errorRatePct?.query).toContain('envoy_requests{job="edge",status=~"5.."}[5s]');
    expect(p99WriteLatencyMs?.query).toBe('1000 * histogram_quantile(0.99, sum(rate(write_seconds{job="edge"}[5s])))');
    expect(freeWorkersPct?.query).toBe('100 * sum(idle{job="edge"}) / sum(size{job="edge"})');
  });

  it('look over four scrapes, and grow old, as their source is scraped', () => {
    const telemetry = { prometheusUrl: PROMETHEUS, scrapeIntervalSeconds: 15 };
    for (const { query, maxAgeSeconds } of Object.values(resolved({ telemetry }))) {
      expect(rangesOf(query).every(({ seconds }) => seconds === 60)).toBe(true);
      expect(maxAgeSeconds).toBe(31);
    }
    const rare = resolved({ guardrails: { lag: { ...own, scrapeIntervalSeconds: 30 } } });
    expect(rare.lag?.maxAgeSeconds).toBe(61);
    expect(rare.errorRatePct?.maxAgeSeconds).toBe(3);
  });

  it('each have a positive control, and one for how often they are scraped', () => {
    const guardrails = Object.values(resolved({ guardrails: { own } }));
    expect(guardrails).toHaveLength(4);
    for (const { controls } of guardrails) {
      expect(controls.length).toBeGreaterThanOrEqual(2);
      expect(controls.at(-1)?.what).toMatch(/^scrapes of /);
    }
  });

  it.each([
    [
      'a range of less than four scrapes',
      { guardrails: { errorRatePct: { kind: 'ERROR_RATE', rangeSeconds: 30 } } },
      /redis-master\.guardrails\.errorRatePct\.rangeSeconds: 30 s is not at least four scrapes of 15 s: 60 s or more/,
    ],
    [
      'such a range in a query',
      { guardrails: { lag: { ...own, query: 'max_over_time(lag{a="[1s]"}[59s])' } } },
      /guardrails\.lag\.query: \[59s\] is not at least four scrapes of 15 s/,
    ],
    [
      'such a range in the share of traffic',
      { share: 'x{s="{{shard}}"}[30s:1s]' },
      /telemetry\.trafficShareQuery: \[30s:1s\] is not/,
    ],
    [
      'a share of traffic of all shards at once',
      { share: 'x{s=~"{{shards}}"}' },
      /trafficShareQuery: must contain \{\{shard\}\}/,
    ],
    [
      'a share of traffic of a shard and of a node',
      { share: 'x{s="{{shard}}",n="{{node}}"}' },
      /trafficShareQuery: must contain .* and not both/,
    ],
    [
      'a label that is none',
      { requests: { statusLabel: 'a"b' } },
      /telemetry\.requests\.statusLabel: the name of a label/,
    ],
    ['a metric that is none', { requests: { metric: 'sum(x)' } }, /telemetry\.requests\.metric: the name of a metric/],
    ['an interval beyond half a minute', { scrapeIntervalSeconds: 31 }, /telemetry\.scrapeIntervalSeconds/],
    ['a kind that is none', { guardrails: { x: { kind: 'P99' } } }, /guardrails\.x\.kind/],
    ['PromQL without a control', { guardrails: { x: { ...own, control: undefined } } }, /guardrails\.x\.control/],
    [
      'a limit that nothing is beyond',
      { guardrails: { x: { kind: 'ERROR_RATE', limit: 100 }, y: { kind: 'FREE_WORKERS', limit: 0 } } },
      /guardrails\.x\.limit[\s\S]*guardrails\.y\.limit/,
    ],
  ])(
    'are refused with %s, and the field is named',
    (_what, { guardrails, share, ...facts }: Record<string, unknown>, words) => {
      const telemetry = {
        ...{ prometheusUrl: PROMETHEUS, scrapeIntervalSeconds: 15, ...facts },
        ...(share === undefined ? {} : { trafficShareQuery: share }),
      };
      expect(() => configuration({ telemetry, ...(guardrails ? { guardrails } : {}) })).toThrow(words);
    },
  );
});

describe('endpoints of the VPC', () => {
  const endpoints = { routeTableIds: ['rtb-1'], hostSecurityGroupIds: ['sg-2'] };
  const zones = { availabilityZones: ['eu-west-1a', 'eu-west-1b'] };

  it('are refused with two subnets of one zone, of which AWS takes one', () => {
    const subnetIds = ['subnet-1', 'subnet-2', 'subnet-3'];
    expect(() => configuration({}, {}, { ...zones, subnetIds, endpoints })).toThrow(
      /network\.endpoints: an endpoint takes one subnet of each/,
    );
    expect(() => configuration({}, {}, { ...zones, subnetIds })).not.toThrow();
    expect(() => configuration({}, {}, { ...zones, subnetIds: subnetIds.slice(1), endpoints })).not.toThrow();
  });
});
