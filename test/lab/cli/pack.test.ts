import { execFile } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import manifest from '../../../package.json' with { type: 'json' };
import { PlayedApi } from '../../cli/command.ts';

const run = promisify(execFile);
const EXAMPLE = resolve('examples/redis-partition.json');
const ID = 'exp_chaos_redis_019';
const root = mkdtempSync(join(tmpdir(), 'holdfast-pack-'));
const dist = join(root, 'dist');
const folder = join(root, 'empty');
const tarball = `holdfast-${manifest.version}.tgz`;
/** What a user has who has nothing of this project: no cache of npm either. */
const environment = {
  PATH: process.env.PATH,
  HOME: root,
  npm_config_cache: join(root, 'cache'),
  npm_config_update_notifier: 'false',
  AWS_EC2_METADATA_DISABLED: 'true',
};
const TIMEOUT_MS = 60_000;

/** Where the npm is that came with Node, also when it is not npm that runs the tests. */
function npmFolder(): string {
  const places = ['/usr/lib/node_modules/npm', '/usr/local/lib/node_modules/npm', '/usr/share/nodejs/npm'];
  const own = process.env.npm_execpath && resolve(process.env.npm_execpath, '../..');
  const found = [own, ...places].find((place) => place && existsSync(join(place, 'bin/npx-cli.js')));
  if (!found) throw new Error('npm is not found: run the tests with npm');
  return found;
}
const npm = (cli: 'npm' | 'npx', ...argv: string[]) =>
  run(process.execPath, [join(npmFolder(), `bin/${cli}-cli.js`), ...argv], { cwd: folder, env: environment });
const installed = (argv: string[], more: Record<string, string> = {}, options: string[] = []) =>
  run(process.execPath, [...options, join(folder, 'node_modules/holdfast/holdfast.mjs'), ...argv], {
    cwd: folder,
    env: { ...environment, ...more },
  });

beforeAll(async () => {
  mkdirSync(folder);
  const packing = { ...process.env, npm_execpath: join(npmFolder(), 'bin/npm-cli.js') };
  await run(process.execPath, ['bin/pack.ts', dist], {
    env: { ...packing, npm_config_cache: environment.npm_config_cache },
  });
  copyFileSync(join(dist, tarball), join(folder, tarball));
  await npm('npm', 'install', '--offline', '--no-audit', '--no-fund', `./${tarball}`);
}, TIMEOUT_MS);
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe('the packed command', () => {
  test('is one package that needs no other', () => {
    const packages = readdirSync(join(folder, 'node_modules')).filter((name) => !name.startsWith('.'));
    expect(packages).toEqual(['holdfast']);
  });

  test('runs with npx from the tarball, in a folder that has nothing, offline', async () => {
    const other = join(root, 'other');
    mkdirSync(other);
    const npx = join(npmFolder(), 'bin/npx-cli.js');
    const argv = [npx, '--offline', '--yes', join('../empty', tarball), '--version'];
    const { stdout } = await run(process.execPath, argv, { cwd: other, env: environment });
    expect(stdout).toBe(`${manifest.version}\n`);
  });

  test('validates, and says where a file is wrong', async () => {
    expect((await installed(['validate', EXAMPLE])).stdout).toContain(`valid: ${ID}`);
    writeFileSync(join(folder, 'wrong.yaml'), 'experimentId: exp_1\nduration: 3\n');
    await expect(installed(['validate', 'wrong.yaml'])).rejects.toMatchObject({
      code: 64,
      stdout: expect.stringContaining('wrong.yaml:2:1: duration: is not a known field'),
    });
  });

  test('asks an API, with what it loads only then, as a profile and as the environment says', async () => {
    const api = new PlayedApi();
    await api.start();
    const timeline: unknown[] = [];
    api.answer = () => ({ body: { experimentId: ID, status: 'COMPLETED', outcome: 'CONFIRMED', timeline } });
    const credentials = join(root, 'credentials');
    writeFileSync(credentials, '[chaos]\naws_access_key_id = AKIDPROFILE\naws_secret_access_key = s\n');
    const argv = ['status', ID, '--url', api.url, '--region', 'eu-west-1'];
    const keys = { AWS_ACCESS_KEY_ID: 'AKIDENVIRONMENT', AWS_SECRET_ACCESS_KEY: 's' };
    expect((await installed(argv, keys)).stdout).toContain('COMPLETED');
    await installed([...argv, '--profile', 'chaos'], { AWS_SHARED_CREDENTIALS_FILE: credentials });
    api.stop();
    const signed = api.asked.map(({ headers }) => /Credential=(\w+)/.exec(String(headers.authorization))?.[1]);
    expect([...new Set(signed)]).toEqual(['AKIDENVIRONMENT', 'AKIDPROFILE']);
  });

  test('starts in less than 300 ms', async () => {
    // Processor time: a busy machine makes everybody wait, but does not make the command larger.
    const hook = `process.on('exit',()=>{const{user,system}=process.cpuUsage();process.stderr.write('cpu '+(user+system))})`;
    for (const argv of [['--help'], ['validate', EXAMPLE]]) {
      const times: number[] = [];
      for (let attempt = 0; attempt < 5; attempt += 1) {
        const { stderr } = await installed(argv, {}, ['--import', `data:text/javascript,${hook}`]);
        times.push(Number(/cpu (\d+)/.exec(stderr)?.[1]) / 1000);
      }
      const median = times.sort((a, b) => a - b)[2];
      expect(median, `${argv[0]}: ${times.join(' ')} ms`).toBeGreaterThan(10);
      expect(median, `${argv[0]}: ${times.join(' ')} ms`).toBeLessThan(300);
    }
  });
});
