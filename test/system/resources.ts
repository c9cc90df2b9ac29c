import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { CHECKOUT } from '../../lab/shared/files.ts';
import { allPids } from '../../lab/shared/processes.ts';
import type { SystemUnderTest } from './harness.ts';

/** What a group of processes holds. */
interface Held {
  processes: number;
  megabytes: number;
  descriptors: number;
}

/** What could grow from one experiment to the next. */
export interface Resources {
  /** Group (`aws`, the name of a function, `hosts`, `other`) → what it holds. */
  held: Record<string, Held>;
  /** Of all processes of the lab. */
  namespaces: number;
  /** Host → lines that name what is there. */
  hosts: Record<string, string[]>;
  /** Host → how many faults it remembers. */
  faults: Record<string, number>;
}

const IP_SETS = 'test/system/list-ip-sets.py';
/** On a host, one a line: files of ours that last, control groups, rules, mounts. */
const LIST = `
find /var/lib/holdfast -mindepth 1 2>/dev/null || :
find /sys/fs/cgroup -type d -name '*holdfast*' 2>/dev/null || :
for save in iptables-save ip6tables-save; do "$save" | grep '^-A' || :; done
cut -d' ' -f2 /proc/mounts`;

export async function readResources(system: SystemUnderTest): Promise<Resources> {
  const { inside = 0 } = system.lab.pids;
  const [ofLab, ofHosts] = [namespaceOf(inside), new Set(system.lab.hosts.map(({ pid }) => namespaceOf(pid)))];
  const [held, namespaces]: [Record<string, Held>, Set<string>] = [{}, new Set()];
  for (const pid of allPids()) {
    try {
      const own = namespaceOf(pid);
      if (own !== ofLab && !ofHosts.has(own)) continue;
      const group = own === ofLab ? groupOf(pid) : 'hosts';
      const sum = held[group] ?? { processes: 0, megabytes: 0, descriptors: 0 };
      held[group] = {
        processes: sum.processes + 1,
        megabytes: sum.megabytes + megabytesOf(pid),
        descriptors: sum.descriptors + readdirSync(`/proc/${pid}/fd`).length,
      };
      for (const kind of readdirSync(`/proc/${pid}/ns`)) namespaces.add(readlinkSync(`/proc/${pid}/ns/${kind}`));
    } catch {
      // It ended while it was looked at.
    }
  }
  const [hosts, faults]: [Record<string, string[]>, Record<string, number>] = [{}, {}];
  for (const { name, pid } of system.lab.hosts) {
    const { code, stdout, stderr } = await system.on(name, 'sh', '-c', LIST);
    if (code !== 0) throw new Error(`${name}: ${stderr}`);
    const inNetwork = ['--target', String(pid), '--net', '/usr/bin/python3', IP_SETS];
    const sets = execFileSync('nsenter', inNetwork, { cwd: CHECKOUT, encoding: 'utf8' });
    const remembered = await system.on(name, 'sh', '-c', 'ls -d /run/holdfast/*/ 2>/dev/null | wc -l');
    faults[name] = Number(remembered.stdout);
    hosts[name] = `${stdout}\n${sets}`.split('\n').filter(Boolean).sort();
  }
  return { held, namespaces: namespaces.size, hosts, faults };
}

const namespaceOf = (pid: number): string => readlinkSync(`/proc/${pid}/ns/pid`);

/** Each page counted once, in equal parts for all processes that share it. */
function megabytesOf(pid: number): number {
  const [, kilobytes = '0'] = /^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8')) ?? [];
  return Number(kilobytes) / 1000;
}

function groupOf(pid: number): string {
  const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  if (command.includes('lab/aws/main.ts')) return 'aws';
  if (!command.includes('lambda-runtime.ts')) return 'other';
  return (
    /\0AWS_LAMBDA_FUNCTION_NAME=([^\0]+)/.exec(`\0${readFileSync(`/proc/${pid}/environ`, 'utf8')}`)?.[1] ?? 'other'
  );
}
