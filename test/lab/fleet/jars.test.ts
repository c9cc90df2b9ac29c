import { spawnSync } from 'node:child_process';
import { appendFileSync, cpSync, existsSync, linkSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { installedProgram as cassandra } from '../../../lab/fleet/cassandra/program.ts';
import { builtClock } from '../../../lab/fleet/hosts.ts';
import { installedProgram as kafka } from '../../../lab/fleet/kafka/program.ts';
import { CHECKOUT } from '../../../lab/shared/files.ts';

const PROGRAMS = { kafka, cassandra };
const caches: string[] = [];
afterEach(() => {
  for (const cache of caches.splice(0)) rmSync(cache, { recursive: true, force: true });
});

/** A user's cache that holds what the real one does. */
function cacheOfAnother(engine: keyof typeof PROGRAMS): {
  lib: string;
  setUp(): { status: number | null; stderr: string };
} {
  const cache = mkdtempSync(join(tmpdir(), 'holdfast-cache-'));
  caches.push(cache);
  const real = PROGRAMS[engine]();
  const program = join(cache, 'holdfast', engine, real.slice(real.lastIndexOf('/') + 1));
  const lib = join(program, 'lib');
  mkdirSync(lib, { recursive: true });
  for (const jar of readdirSync(join(real, 'lib'))) copy(join(real, 'lib', jar), join(lib, jar));
  for (const file of ['classes.jsa', 'classes.key']) copy(join(real, file), join(program, file));
  // A compiler finds no parts of its own here.
  const clock = builtClock();
  cpSync(clock, join(cache, relative(join(real, '../../..'), clock)), { recursive: true });
  const env = { ...process.env, XDG_CACHE_HOME: cache };
  return {
    lib,
    setUp: () => spawnSync('sh', [join(CHECKOUT, 'lab/setup.sh'), engine], { env, encoding: 'utf8', timeout: 50_000 }),
  };
}

function copy(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch {
    cpSync(from, to);
  }
}

describe.each(['kafka', 'cassandra'] as const)('the jars of %s', (engine) => {
  test('set-up says nothing and fetches nothing where all is there', () => {
    expect(cacheOfAnother(engine).setUp()).toMatchObject({ status: 0, stderr: '' });
  });

  test('set-up refuses a jar in the cache that is not the one it was made for, or is missing', () => {
    const { lib, setUp } = cacheOfAnother(engine);
    const [first = '', second = ''] = readdirSync(lib).sort();
    const path = join(lib, first);
    const own = `${path}.own`;
    cpSync(path, own);
    rmSync(path);
    cpSync(own, path);
    appendFileSync(path, 'x');
    rmSync(join(lib, second));
    const { status, stderr } = setUp();
    expect(status).toBe(1);
    expect(stderr).toContain(`${first}: FAILED`);
    expect(stderr).toContain(`${second}: FAILED open or read`);
    expect(stderr).toContain(`are not those of lab/fleet/${engine}/jars.sha256\nsetup: remove `);
    // Left for who wants to look at it.
    expect(existsSync(path)).toBe(true);
  });
});
