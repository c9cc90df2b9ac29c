import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { cpuSpike } from './kinds/cpu-spike.ts';
import { controlGroups, inLoadedWorld, workers } from './load.ts';
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

/** Starts a worker as a fault's verb does, in a process of another rank than the others, and prints the worker's word. */
const START = `import os, sys
sys.path.insert(0, '/run/files/program')
from linux import worker_processes
from record import FaultRecord, State
fault_id, name, *arguments = sys.argv[1:]
with open('/proc/self/oom_score_adj', 'w') as file: file.write('500')
os.nice(-10)
os.makedirs(f'/run/holdfast/{fault_id}', exist_ok=True)
(life, life_end), (word_end, word) = os.pipe(), os.pipe()
record = FaultRecord(fault_id, 'i-1', 'cpu-spike', 'cpu', State.APPLYING, {}, '', '')
worker_processes.start(record, worker_processes.Pipes(life, word), name, arguments)
os.close(word)
print(os.read(word_end, 4096).decode().strip())
`;

/** A worker that does nothing but to live, twice. */
function sit(world: World, faultId = world.faultId, inside: string[] = []) {
  writeFileSync(join(world.directory, 'program/workers/sit.py'), SIT);
  const words = [...inside, '/usr/bin/python3', '-B', '-c', START, faultId, 'sit', 'ready'];
  return world.exec(words, { HOLDFAST_OWNER: '1:0' });
}

/** Pids that run `workers/sit.py`, whatever they are marked by. */
async function sitting(world: World): Promise<string[]> {
  return (await world.exec(['pgrep', '-f', 'workers/sit.py'])).out.split('\n').filter(Boolean);
}

function python(world: World, code: string) {
  const words = ['/usr/bin/python3', '-B', '-c', `import sys; sys.path.insert(0, '/run/files/program')\n${code}`];
  return world.exec(words);
}

/** Pids of the fault's workers, as the host program finds them. */
async function found(world: World): Promise<string[]> {
  const code = `from linux import worker_processes
for worker in worker_processes.find('${world.faultId}'): print(worker.pid)`;
  return (await python(world, code)).out.split('\n').filter(Boolean);
}

describe.concurrent('workers', () => {
  it('outlive the process that started them, without the rank and the protection of the watchdog', () =>
    inWorld(NETWORK, async (world) => {
      expect(await sit(world)).toEqual({ code: 0, out: 'ready' });
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

  it.each([
    ['say why', "print('the volume is full', flush=True)", /^workers: the volume is full$/],
    ['end', 'raise SystemExit("the end of it")', /^workers: they ended before they were ready$/],
    ['hang', 'import time; time.sleep(60)', /^the workers are not ready in time$/],
  ])('are a failure of the fault, with its reason, when they cannot begin and %s', (_, program, reason) =>
    inLoadedWorld(cpuSpike, async (world) => {
      writeFileSync(join(world.directory, 'program/workers/cpu_load.py'), `${program}\n`);
      expect(await world.inject()).toMatchObject({ code: 4, reason: expect.stringMatching(reason) });
      expect(await world.reverted(5)).toMatchObject({ revertReason: 'APPLY_FAILED', leftovers: [] });
      expect(await workers(world, 'cpu_load')).toEqual([]);
      expect(await controlGroups(world)).toBe('');
      // What a worker says on its standard error is for whoever looks into the log of the fault.
      expect(await world.log()).toMatch(program.includes('the end of it') ? /^the end of it$/m : /APPLY_FAILED/);
    }),
  );

  it('are all ended, with what they forked, and those of another fault are not', () =>
    inWorld(NETWORK, async (world) => {
      await sit(world);
      const own = await sitting(world);
      await sit(world, 'exp_test.10');
      const others = (await sitting(world)).filter((pid) => !own.includes(pid));
      expect(others).toHaveLength(2);
      await world.exec(['kill', '-STOP', ...own]);
      expect((await found(world)).sort()).toEqual(own.sort());
      const end = "from linux import worker_processes; worker_processes.end('exp_test.1')";
      expect(await python(world, end)).toMatchObject({ code: 0 });
      expect(await sitting(world)).toEqual(others);
      expect(await found(world)).toEqual([]);
    }));

  it('are not taken for those of another host that shares the processes of this one', () =>
    inWorld(NETWORK, async (world) => {
      expect(await sit(world, world.faultId, ['ip', 'netns', 'exec', 'far'])).toEqual({ code: 0, out: 'ready' });
      expect(await sitting(world)).toHaveLength(2);
      expect(await found(world)).toEqual([]);
    }));

  it('see the end of the pipe that only the runner holds, and know when the fault ends', () =>
    inWorld(NETWORK, async (world) => {
      const probe = `import os, select
life = int(os.environ['HOLDFAST_LIFE_FD'])
ended = select.select([life], [], [], 5)[0] and os.read(life, 1) == b''
print('ended' if ended else 'still open', os.environ['HOLDFAST_ENDS_AT'])`;
      writeFileSync(join(world.directory, 'program/workers/probe.py'), probe);
      const code = `import os, time
from linux import worker_processes
from record import FaultRecord, State
(life, life_end), (word_end, word) = os.pipe(), os.pipe()
record = FaultRecord('exp_test.1', 'i-1', 'process-pause', 'process', State.APPLYING, {}, '', '')
record.ends_at_seconds = 12.5
worker_processes.start(record, worker_processes.Pipes(life, word), 'probe', [])
os.set_blocking(word_end, False)
time.sleep(1)
try: print('too early:', os.read(word_end, 99))
except BlockingIOError: pass
os.set_blocking(word_end, True)
os.close(word); os.close(life_end)
print(os.read(word_end, 99).decode().strip())`;
      expect(await python(world, code)).toEqual({ code: 0, out: 'ended 12.500' });
    }));
});

describe.concurrent('the revert of a fault with workers', () => {
  it('ends them, also when they are there again after it', () =>
    inWorld(NETWORK, async (world) => {
      expect(await world.inject()).toMatchObject({ code: 0, state: 'APPLIED' });
      await sit(world);
      expect(await world.rollBack('revert')).toMatchObject({ code: 0, state: 'REVERTED', leftovers: [] });
      expect(await sitting(world)).toEqual([]);
      await sit(world);
      expect(await world.rollBack('revert')).toMatchObject({ code: 0, state: 'REVERTED', leftovers: [] });
      expect(await sitting(world)).toEqual([]);
    }));

  it('ends them when one process of the pair is killed', () =>
    inWorld(NETWORK, async (world) => {
      expect(await world.inject()).toMatchObject({ code: 0, state: 'APPLIED' });
      await sit(world);
      await world.signal('KILL', (await world.pair()).runner);
      await until('the end of the workers', 5, async () => (await sitting(world)).length === 0);
    }));

  it('finds them by their mark when the record is lost', () =>
    inWorld(NETWORK, async (world) => {
      await sit(world);
      await world.exec(['rm', '-rf', '/run/holdfast']);
      expect(await world.rollBack('revert')).toMatchObject({ code: 0, state: 'REVERTED' });
      expect(await sitting(world)).toEqual([]);
      expect(await world.rollBack('revert')).toMatchObject({ code: 0, state: 'NOTHING_TO_REVERT' });
    }));

  it('begins at once when fewer of them live than the fault needs, and nothing is called applied', () =>
    inLoadedWorld(cpuSpike, async (world) => {
      // Its mark is gone with its environment before anybody can read the word.
      const gone = 'import os\nos.execve("/bin/echo", ["echo", "ready"], {})\n';
      writeFileSync(join(world.directory, 'program/workers/cpu_load.py'), gone);
      expect(await world.inject()).toMatchObject({ code: 4, reason: expect.stringMatching(/0 of \d workers live/) });
      expect(await world.reverted(5)).toMatchObject({ revertReason: 'APPLY_FAILED', leftovers: [] });
      expect(await controlGroups(world)).toBe('');
    }));

  it('begins when a load does nothing: what its program needs to start is no effect', () =>
    inLoadedWorld(cpuSpike, async (world) => {
      const module = join(world.directory, 'program/workers/cpu_load.py');
      const text = readFileSync(module, 'utf8');
      expect(text).toContain('    load(percent / 100)');
      writeFileSync(module, text.replace('    load(percent / 100)', '    lifetime.idle()'));
      expect(await world.inject()).toMatchObject({
        code: 4,
        reason: expect.stringMatching(/no effect can be seen beyond/),
      });
      expect(await world.reverted(5)).toMatchObject({ revertReason: 'APPLY_FAILED', leftovers: [] });
    }));

  it('does not call a host clean on which one is alive', () =>
    inWorld(NETWORK, async (world) => {
      await sit(world);
      const record = "FaultRecord('exp_test.1', 'i-1', '', '', State.REVERTING, {}, '', 'f' * 12)";
      const code = `import snapshot\nfrom record import FaultRecord, State\nfor line in snapshot.remains(${record}): print(line)`;
      const lines = await python(world, code);
      expect(lines.out.split('\n')).toHaveLength(2);
      expect(lines.out).toMatch(/^worker \d+ \(start time \d+\)/);
    }));
});
