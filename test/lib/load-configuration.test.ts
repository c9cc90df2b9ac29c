import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfiguration } from '../../lib/load-configuration.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'configuration-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const written = (name: string, text: string) => {
  writeFileSync(join(directory, name), text);
  return join(directory, name);
};

const wrong = () => written('bad.mjs', `export default { clusters: {}, apiPrincipals: ['*'] }`);

describe('loadConfiguration', () => {
  it.each(['holdfast.config.ts', 'lab/holdfast.config.ts'])('accepts %s', async (file) => {
    const { configuration, configurationFile } = await loadConfiguration(file);
    expect(Object.keys(configuration.clusters).length).toBeGreaterThan(0);
    expect(configurationFile.startsWith('/')).toBe(true);
  });

  it('wants certificates in a caFile, before they are missing in a function', async () => {
    const { default: lab } = await import('../../lab/holdfast.config.ts');
    const clusters = {
      redis: { ...lab.clusters['redis-tls'], tls: { serverName: 'redis.example', caFile: 'ca.pem' } },
    };
    const file = written(
      'with-ca.mjs',
      `export default ${JSON.stringify({ ...lab, clusters, schedules: {}, notifications: {} })}`,
    );
    await expect(loadConfiguration(file)).rejects.toThrow(/clusters\.redis\.tls\.caFile: cannot read .*ca\.pem/);
    written('ca.pem', 'nothing');
    await expect(loadConfiguration(file)).rejects.toThrow(/caFile: .*ca\.pem has no certificate in PEM/);
    written('ca.pem', '-----BEGIN CERTIFICATE-----');
    expect((await loadConfiguration(file)).configurationFile).toBe(file);
  });

  it('wants PromQL where it says PromQL, and names field, position and what was read', async () => {
    const { default: lab } = await import('../../lab/holdfast.config.ts');
    const telemetry = { prometheusUrl: 'http://prometheus.example', gateways: 'up{job=gateway}' };
    const clusters = { ...lab.clusters, 'redis-master': { ...lab.clusters['redis-master'], telemetry } };
    const file = written('bad-promql.mjs', `export default ${JSON.stringify({ ...lab, clusters })}`);
    await expect(loadConfiguration(file)).rejects.toThrow(
      'holdfast.config.ts is not valid:\n  clusters.redis-master.telemetry.gateways: is no PromQL from position 8 on: read gateway}',
    );
  });

  it('names the file that cannot be loaded or exports nothing', async () => {
    await expect(loadConfiguration(join(directory, 'absent.ts'))).rejects.toThrow(
      /HOLDFAST_CONFIG: cannot load .*absent\.ts/,
    );
    await expect(loadConfiguration(written('empty.mjs', 'export const a = 1;'))).rejects.toThrow('as default');
  });

  it('names the field and what is allowed there', async () => {
    await expect(loadConfiguration(wrong())).rejects.toThrow(/clusters: at least one cluster[\s\S]*apiPrincipals\.0:/);
  });

  it('prints its lines and nothing else where a synthesis is refused, and writes no template', () => {
    const env = { ...process.env, HOLDFAST_CONFIG: wrong() };
    const { status, stdout, stderr } = spawnSync(process.execPath, ['bin/control-plane.ts'], { env, encoding: 'utf8' });
    expect([status, stdout]).toEqual([1, '']);
    const [head, ...fields] = stderr.trimEnd().split('\n');
    expect(head).toBe('holdfast.config.ts is not valid:');
    expect(fields.map((line) => line.split(':')[0])).toEqual(['  clusters', '  network', '  apiPrincipals.0']);
  });
});
