import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { cachedBy } from '../../../lab/shared/user-cache.ts';

const LIBRARY = join(cachedBy('clock', 'lab/fleet/host/clock.c'), 'clock.so');
const isPossible = process.platform === 'linux' && process.getuid?.() === 0;
if (!isPossible) process.stderr.write('the clock of a host: not tested: it needs Linux and root\n');

/** Runs Python on a host that has nothing but a clock. @returns what it prints, as JSON */
function onHost(program: string, user = 'root'): unknown {
  const script = [
    'mount -n -t tmpfs host /run && mkdir /run/lab && head -c 8 /dev/zero > /run/lab/clock-offset',
    'exec env LD_PRELOAD="$1" setpriv --reuid="$3" --clear-groups /usr/bin/python3 -c "$2"',
  ].join('\n');
  const imports = 'import json, os, subprocess, time\n';
  const argv = ['--mount', 'sh', '-ec', script, 'sh', LIBRARY, imports + program, user];
  const { status, stdout, stderr } = spawnSync('unshare', argv, { encoding: 'utf8' });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}

const SET_HOUR_AHEAD = 'time.clock_settime(time.CLOCK_REALTIME, time.time() + 3600)\n';

describe.skipIf(!isPossible)('the clock of a host', () => {
  test('is moved for every process of the host, those that run and those that start, and for nobody else', () => {
    const before = Date.now() / 1000;
    const [running, started] = onHost(
      [
        'child = subprocess.Popen(["/usr/bin/python3", "-c", "import time; input(); print(time.time())"],',
        '    stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)',
        'time.sleep(0.3)',
        SET_HOUR_AHEAD,
        'running = float(child.communicate("now\\n")[0])',
        'started = float(subprocess.check_output(["date", "+%s.%N"]))',
        'print(json.dumps([running, started]))',
      ].join('\n'),
    ) as number[];
    for (const seen of [running, started]) {
      expect(seen).toBeGreaterThan(before + 3599);
      expect(seen).toBeLessThan(before + 3660);
    }
    expect(Date.now() / 1000 - before).toBeLessThan(60);
  });

  test('moves by the nanosecond both ways and back, and no other clock with it', () => {
    const program = [
      'def far():',
      '    return round((time.time_ns() - time.clock_gettime_ns(time.CLOCK_BOOTTIME) - truth) / 1e6)',
      'truth = time.time_ns() - time.clock_gettime_ns(time.CLOCK_BOOTTIME)',
      'seen = []',
      'for ms in (100, -100, 30000, 0):',
      '    time.clock_settime_ns(time.CLOCK_REALTIME, time.clock_gettime_ns(time.CLOCK_BOOTTIME) + truth + ms * 1000000)',
      '    seen.append(far())',
      'print(json.dumps(seen))',
    ].join('\n');
    expect(onHost(program)).toEqual([100, -100, 30_000, 0]);
  });

  test('is nobody’s to set but of root, as on a machine', () => {
    const program = [
      'try:',
      `    ${SET_HOUR_AHEAD.trim()}`,
      '    print(json.dumps("set"))',
      'except PermissionError:',
      '    print(json.dumps("refused"))',
    ].join('\n');
    expect(onHost(program, 'nobody')).toBe('refused');
    expect(onHost(program)).toBe('set');
  });
});
