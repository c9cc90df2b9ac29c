import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { commandOn } from '../../../../lab/cli/exec.ts';
import { CASSANDRA_UNIT, ORDERS_RING, VOLUME } from '../../../../lab/fleet/cassandra/hosts.ts';
import { readLab } from '../../../../lab/runtime/lab-file.ts';
import { startLab, stopLab } from '../../../../lab/runtime/lifecycle.ts';
import { NICENESS } from '../../../../lab/shared/niceness.ts';
import { waitFor } from '../../../../lab/shared/wait-for.ts';
import { askAll } from './in-lab.ts';

const directory = mkdtempSync(join(tmpdir(), 'holdfast-cassandra-'));
const [seed = '', otherSeed = '', noSeed = ''] = ORDERS_RING.hosts.map(({ name }) => name);

function on(name: string, ...argv: string[]): string {
  const [program = '', ...rest] = commandOn(readLab(directory), name, argv);
  const { status, stdout, stderr } = spawnSync(program, rest, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${argv.join(' ')} on ${name}: ${status} ${stderr}`);
  return stdout.trim();
}

const mainPid = (name: string) => on(name, 'systemctl', 'show', '-p', 'MainPID', '--value', CASSANDRA_UNIT);
const kill = (name: string) => on(name, 'kill', '-KILL', mainPid(name));

/** Node → whom it does not hear. */
async function silent(): Promise<Record<string, string[] | null>> {
  return (await askAll(directory, '', 'silent'))[0] as Record<string, string[] | null>;
}

async function waitForViews(views: Record<string, string[] | null>): Promise<void> {
  await waitFor('views', 40, async () => {
    const seen = await silent();
    return JSON.stringify(seen) === JSON.stringify(views) ? undefined : JSON.stringify(seen);
  });
}

const isPossible = process.platform === 'linux' && process.getuid?.() === 0;
if (!isPossible) process.stderr.write('the ring: not tested: it needs Linux and root (network namespaces)\n');

describe.skipIf(!isPossible)('the ring of a lab', () => {
  beforeAll(async () => {
    await startLab({ directory, scope: 'fleet', endsWithParent: true, engines: ['cassandra'], onProgress: () => {} });
  });

  afterAll(async () => {
    await stopLab(directory);
    rmSync(directory, { recursive: true, force: true });
  });

  test('is whole in the view of each of its nodes, the one that is no seed too', async () => {
    expect(await silent()).toEqual({ [seed]: [], [otherSeed]: [], [noSeed]: [] });
  });

  test('lets nobody in without TLS, with a wrong password, or as who it was born with', async () => {
    const ways = ['log in with a wrong password', 'log in as born', 'trust nobody', 'speak plain text'] as const;
    const answers = await askAll(directory, 'application', ...ways);
    for (const [index, way] of ways.entries()) expect(answers[index], way).toMatch(/^refused: /);
    expect(answers[0]).toMatch(/AuthenticationError/);
    expect(answers[1]).toMatch(/AuthenticationError/);
    expect(answers[2]).toMatch(/unable to (verify the first|get local issuer) certificate/);
  });

  test('lets the product see its health, write to its own keyspace and neither read nor change anything else', async () => {
    const may = ['see heartbeats', 'see hints', 'see peers', 'write the probe'] as const;
    expect(await askAll(directory, 'holdfast_probe', ...may)).toEqual([3, 0, 2, 0]);
    const mayNot = [
      ...(['read orders', 'write orders', 'drop the probe', 'change a keyspace'] as const),
      ...(['make a role', 'read the logins'] as const),
    ];
    const refusals = await askAll(directory, 'holdfast_probe', ...mayNot);
    for (const [index, what] of mayNot.entries())
      expect(refusals[index], what).toMatch(/^refused: ResponseError .*(permission|privileges|not authorized)/);
  });

  test('lets an application read and write its orders and nothing of the product', async () => {
    expect(await askAll(directory, 'application', 'write and read an order', 'write the probe', 'see hints')).toEqual([
      true,
      expect.stringMatching(/^refused: ResponseError .*permission/),
      expect.stringMatching(/^refused: ResponseError .*permission/),
    ]);
  });

  test('has its data on a volume of each host, under a user of its own, as the main process of the unit', () => {
    expect(on(seed, 'findmnt', '-no', 'SOURCE,FSTYPE', VOLUME)).toMatch(/^\/dev\/loop\d+ +ext4$/);
    expect(on(seed, 'ps', '-o', 'user:16=,comm=', '-p', mainPid(seed))).toMatch(/^cassandra +java$/);
    expect(on(seed, 'cat', `/proc/${mainPid(seed)}/cmdline`)).toContain('CassandraDaemon');
  });

  test('yields to those who watch it, with its whole session where the kernel weighs sessions', () => {
    const pid = mainPid(seed);
    const threads = on(seed, 'ps', '-L', '-o', 'ni=', '-p', pid).split('\n');
    expect(new Set(threads.map(Number))).toEqual(new Set([NICENESS.yielding]));
    const session = on(seed, 'sh', '-c', `cat /proc/${pid}/autogroup 2>/dev/null || echo no autogroups`);
    expect(session).toMatch(new RegExp(` nice ${NICENESS.yielding}$|^no autogroups$`));
  });

  test('serves at QUORUM without a seed, refuses without a majority, and takes back a killed node while the seed is down', async () => {
    kill(seed);
    expect(await askAll(directory, 'application', 'write and read an order')).toEqual([true]);
    kill(noSeed);
    expect(await askAll(directory, 'application', 'write and read an order')).toEqual([
      expect.stringMatching(/^refused: /),
    ]);
    on(noSeed, 'systemctl', 'start', CASSANDRA_UNIT);
    await waitForViews({ [seed]: null, [otherSeed]: [seed], [noSeed]: [seed] });
    expect(await askAll(directory, 'application', 'write and read an order')).toEqual([true]);
  });
});
