import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cpuSpike } from './kinds/cpu-spike.ts';
import { controlGroups, inLoadedWorld } from './load.ts';
import { until } from './wire.ts';
import { inWorld, type World } from './world.ts';

const NETWORK = 'network-partition';
const SIT = `import os, sys, time
if os.fork() == 0:
    os.setsid()
else:
    print(sys.argv[1], flush=True)
while True:
    time.sleep(60)
`;

/** Runs shell code as a fault's script would be: with worker.sh, by a process that has another rank than the others. */
function script(world: World, code: string, faultId = world.faultId) {
  writeFileSync(join(world.directory, 'program/workers/sit.py'), SIT);
  const environment = { HOLDFAST_FAULT_ID: faultId, HOLDFAST_OWNER: '1:0' };
  const lines = `echo 500 >/proc/self/oom_score_adj; renice -10 -p $$ >/dev/null
mkdir -p /run/holdfast/${faultId}; cd /run/files/program; set -eu; . ./worker.sh; ${code}`;
  return world.exec(['bash', '-c', lines], environment);
}

/** Pids that run `workers/sit.py`, whatever they are marked by. */
async function sitting(world: World): Promise<string[]> {
  return (await world.exec(['pgrep', '-f', 'workers/sit.py'])).out.split('\n').filter(Boolean);
}

function python(world: World, code: string) {
  const words = ['/usr/bin/python3', '-B', '-c', `import sys; sys.path.insert(0, '/run/files/program')\n${code}`];
  return world.exec(words);
}

describe.concurrent('workers', () => {
  it('outlive the script that started them, without the rank and the protection of the watchdog', () =>
    inWorld(NETWORK, async (world) => {
      expect(await script(world, 'start_worker sit ready')).toEqual({ code: 0, out: '' });
      const pids = await sitting(world);
      expect(pids).toHaveLength(2);
      for (const pid of pids) {
        expect((await world.exec(['cat', `/proc/${pid}/oom_score_adj`])).out).toBe('0');
        expect((await world.exec(['ps', '-o', 'ni=', '-p', pid])).out.trim()).toBe('0');
        const marks = (await world.exec(['cat', `/proc/${pid}/environ`])).out.split('\0');
        expect(marks).toContain(`HOLDFAST_WORKER=${world.faultId}`);
        expect(marks.filter((mark) => mark.startsWith('HOLDFAST_OWNER='))).toEqual([]);
      }
    }));

  it('are a failure of the script, with its reason, when they cannot begin', () =>
    inWorld(NETWORK, async (world) => {
      const refused = await script(world, "start_worker sit 'the volume is full'");
      expect(refused).toMatchObject({ code: 1, out: expect.stringMatching(/worker sit: the volume is full$/) });
      const missing = await script(world, 'start_worker missing');
      expect(missing).toMatchObject({ code: 1, out: expect.stringMatching(/worker missing: ended or hung/) });
      expect(await world.log()).toMatch(/missing.py/);
    }));

  it('are all ended, with what they forked, and those of another fault are not', () =>
    inWorld(NETWORK, async (world) => {
      await script(world, 'start_worker sit ready');
      const own = await sitting(world);
      await script(world, 'start_worker sit ready', 'exp_test.10');
      const others = (await sitting(world)).filter((pid) => !own.includes(pid));
      await world.exec(['kill', '-STOP', ...own]);
      const found = await python(world, "import workers; print(*(pid for pid, _ in workers.find('exp_test.1')))");
      expect(found.out.split(' ').sort()).toEqual(own.sort());
      expect((await script(world, 'has_worker')).code).toBe(0);
      expect(await python(world, "import workers; workers.end('exp_test.1')")).toMatchObject({ code: 0 });
      expect(await sitting(world)).toEqual(others);
      expect((await script(world, 'has_worker')).code).not.toBe(0);
    }));

  it('are not taken for those of another host that shares the processes of this one', () =>
    inWorld(NETWORK, async (world) => {
      const entered = 'exec ip netns exec far bash -c ". ./worker.sh; start_worker sit ready"';
      expect(await script(world, entered)).toMatchObject({ code: 0 });
      expect(await sitting(world)).toHaveLength(2);
      expect((await script(world, 'has_worker')).code).not.toBe(0);
      expect((await python(world, "import workers; print(workers.find('exp_test.1'))")).out).toBe('[]');
    }));

  it('see the end of the pipe that only the runner holds', () =>
    inWorld(NETWORK, async (world) => {
      const probe = 'IFS= read -r -t 5 word <&"$HOLDFAST_LIFE_FD" || [ $? -eq 1 ]; echo "$word$HOLDFAST_ENDS_AT"\n';
      writeFileSync(join(world.directory, 'program/faults/process-pause.sh'), probe);
      const code = `import os, scripts, threading
mine, pipe = os.pipe()
threading.Timer(0.2, os.close, [pipe]).start()
state = {'faultId': 'exp_test.1', 'instanceId': 'i-1', 'kind': 'process-pause', 'bare': {}, 'values': {},
  'families': [], 'peers': [], 'exempt': [], 'shard': [], 'endsAtSeconds': 12.5}
print(scripts.run('faults/process-pause.sh', 'apply', state, life_fd=mine))`;
      expect(await python(world, code)).toEqual({ code: 0, out: '12.500' });
    }));
});

describe.concurrent('the revert of a fault with workers', () => {
  it('ends them, also when they are there again after it', () =>
    inWorld(NETWORK, async (world) => {
      expect(await world.inject()).toMatchObject({ code: 0, state: 'APPLIED' });
      await script(world, 'start_worker sit ready');
      expect(await world.rollBack('revert')).toMatchObject({ code: 0, state: 'REVERTED', leftovers: [] });
      expect(await sitting(world)).toEqual([]);
      await script(world, 'start_worker sit ready');
      expect(await world.rollBack('revert')).toMatchObject({ code: 0, state: 'REVERTED', leftovers: [] });
      expect(await sitting(world)).toEqual([]);
    }));

  it('ends them when one process of the pair is killed', () =>
    inWorld(NETWORK, async (world) => {
      expect(await world.inject()).toMatchObject({ code: 0, state: 'APPLIED' });
      await script(world, 'start_worker sit ready');
      await world.signal('KILL', (await world.pair()).runner);
      await until('the end of the workers', 5, async () => (await sitting(world)).length === 0);
    }));

  it('finds them by their mark when the record is lost', () =>
    inWorld(NETWORK, async (world) => {
      await script(world, 'start_worker sit ready');
      await world.exec(['rm', '-rf', '/run/holdfast']);
      expect(await world.rollBack('revert')).toMatchObject({ code: 0, state: 'REVERTED' });
      expect(await sitting(world)).toEqual([]);
      expect(await world.rollBack('revert')).toMatchObject({ code: 0, state: 'NOTHING_TO_REVERT' });
    }));

  it('is walked at once when fewer of them live than the fault needs, and nothing is called applied', () =>
    inLoadedWorld(cpuSpike, async (world) => {
      // Its mark is gone with its environment before anybody can read the word.
      const gone = 'import os\nos.execve("/bin/echo", ["echo", "ready"], {})\n';
      writeFileSync(join(world.directory, 'program/workers/burn.py'), gone);
      expect(await world.inject()).toMatchObject({ code: 4, reason: expect.stringMatching(/0 of \d workers live/) });
      expect(await world.reverted(5)).toMatchObject({ revertReason: 'APPLY_FAILED', leftovers: [] });
      expect(await controlGroups(world)).toBe('');
    }));

  it('does not call a host clean on which one is alive', () =>
    inWorld(NETWORK, async (world) => {
      await script(world, 'start_worker sit ready');
      const state = "{'faultId': 'exp_test.1', 'instanceId': 'i-1'}";
      const lines = await python(world, `import snapshot; print('\\n'.join(snapshot.remains(${state})))`);
      expect(lines.out.split('\n')).toHaveLength(2);
      expect(lines.out).toMatch(/^worker \d+ \(start time \d+\)/);
    }));
});
