import { existsSync, rmdirSync } from 'node:fs';
import type { Host } from './host.ts';
import type { KindCase } from './kind-case.ts';
import { until } from './wire.ts';
import { World } from './world.ts';

export const DATA_DIRECTORY = '/run/data';
const MEBIBYTE = 1024 * 1024;
export const VOLUME_BYTES = 64 * MEBIBYTE;

/** A volume for the store's data that a test may fill: neither the root volume nor that of /run. */
export async function mountDataVolume(host: Host, options = `size=${VOLUME_BYTES}`): Promise<void> {
  await host.exec(['mkdir', '-p', DATA_DIRECTORY]);
  await host.exec(['mount', '-t', 'tmpfs', '-o', options, 'data', DATA_DIRECTORY]);
}

/** A real file system, on a file: it has a disk below it, and space that is kept for root. */
export async function mountExt4(host: Host, megabytes: number, options: string[] = []): Promise<void> {
  const image = '/run/files/disk.img';
  await host.exec(['umount', DATA_DIRECTORY]);
  await host.exec(['truncate', '-s', `${megabytes}M`, image]);
  await must(host, ['mkfs.ext4', '-q', '-F', ...options, image]);
  await must(host, ['mount', '-o', 'loop', image, DATA_DIRECTORY]);
}

async function must(host: Host, words: string[]): Promise<void> {
  const { code, out } = await host.exec(words);
  if (code !== 0) throw new Error(`${words.join(' ')}: ${out}`);
}

/** Control groups of the host's faults, by the name that tells instance and fault; one a line. */
export async function controlGroups(host: Host): Promise<string> {
  const name = `holdfast-$(printf %s ${host.instanceId}${host.faultId} | sha256sum | cut -c1-12)`;
  const list = `n=${name}; ls -d /sys/fs/cgroup/*/$n /sys/fs/cgroup/system.slice/$n.scope 2>/dev/null; true`;
  return (await host.exec(['bash', '-c', list])).out;
}

interface Process {
  pid: string;
  state: string;
  nice: number;
  /** Processor time since its start. */
  cpuSeconds: number;
  residentBytes: number;
  /** Read and written by system calls, by now. */
  ioBytes: number;
  oomScoreAdjustment: number;
}

const LOOK = `
import glob, json, os, sys
own = f"/proc/{os.getpid()}"
def read(path):
    with open(path, errors="replace") as file: return file.read()
found = []
for path in set(glob.glob("/proc/[0-9]*")) - {own}:
    try:
        if not any(word.endswith(sys.argv[1]) for word in read(path + "/cmdline").split("\\0")[1:5]): continue
        fields = read(path + "/stat").rpartition(")")[2].split()
        io = dict(line.split(": ") for line in read(path + "/io").splitlines())
        found.append({"pid": path[6:], "state": fields[0], "nice": int(fields[16]),
            "cpuSeconds": (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"),
            "residentBytes": int(fields[21]) * os.sysconf("SC_PAGE_SIZE"),
            "ioBytes": int(io["rchar"]) + int(io["wchar"]),
            "oomScoreAdjustment": int(read(path + "/oom_score_adj"))})
    except OSError: pass
print(json.dumps(found))`;

/** Processes that run `workers/<name>.py`, as the kernel shows them. */
export async function workers(host: Host, name: string): Promise<Process[]> {
  return JSON.parse((await host.exec(['python3', '-c', LOOK, `/workers/${name}.py`])).out) as Process[];
}

/** How the kernel weighs the session of a process against other sessions, which it does before it looks at priorities. */
export async function sessionRank(host: Host, pid: string): Promise<string> {
  const shown = `cat /proc/${pid}/autogroup 2>/dev/null || echo no autogroups`;
  return (await host.exec(['sh', '-c', shown])).out.replace(/^.* nice /, '');
}

/** How much of a number per second all of the workers together go on by, over so long. */
export async function ratePerSecond(
  host: Host,
  name: string,
  of: (process: Process) => number,
  seconds: number,
): Promise<number> {
  const total = async () => (await workers(host, name)).reduce((sum, process) => sum + of(process), 0);
  const [startMs, before] = [performance.now(), await total()];
  await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
  const after = await total();
  return ((after - before) * 1000) / (performance.now() - startMs);
}

/** Bytes that are free for everyone on the data volume, and how full it is as `df` shows it. */
export async function dataVolume(host: Host): Promise<{ freeBytes: number; usedPct: number }> {
  const shown = (await host.exec(['df', '--output=avail,used', '-B1', DATA_DIRECTORY])).out.split('\n').at(-1) ?? '';
  const [freeBytes = 0, usedBytes = 0] = shown.trim().split(/\s+/).map(Number);
  return { freeBytes, usedPct: (usedBytes / (usedBytes + freeBytes)) * 100 };
}

/** State letter of the process that listens on the store's port. */
export async function storeState(host: Host, port: number): Promise<{ pid: string; state: string }> {
  const find = `ss -Hltnp sport = :${port} | grep -o 'pid=[0-9]*' | cut -d= -f2 | head -1`;
  const pid = (await host.exec(['bash', '-c', find])).out;
  return { pid, state: (await host.exec(['ps', '-o', 'stat=', '-p', pid])).out.slice(0, 1) };
}

/** One test in a world of its own, with a data volume; also when it fails, its control groups do not stay behind. */
export async function inLoadedWorld(kind: KindCase, test: (world: World) => Promise<void>): Promise<void> {
  const world = new World();
  try {
    await world.start(kind.kind, true, kind.parameters);
    await mountDataVolume(world);
    await test(world);
  } catch (error) {
    process.stderr.write(`${await world.log().catch(() => 'no log')}\n`);
    throw error;
  } finally {
    const groups = (await controlGroups(world)).split('\n').filter(Boolean);
    world.stop();
    await until('the end of its control groups', 5, async () => groups.every(isRemoved));
  }
}

function isRemoved(group: string): boolean {
  try {
    rmdirSync(group);
  } catch {
    return !existsSync(group);
  }
  return true;
}
