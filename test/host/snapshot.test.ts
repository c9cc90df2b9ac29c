import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const HOST_DIRECTORY = new URL('../../host/', import.meta.url).pathname;
const FAULT_ID = 'exp.1';
/** `printf exp.1 | sha256sum | cut -c1-12` */
const DIGEST = 'aaf0932999ae';

interface Snapshot {
  lines: string[];
  /** What the kind of the fault sees of the things that it changes. */
  touched: string[];
  unread: string[];
}

/** The record of a fault; `given` is what a test gives to the program. */
const RECORD = `FaultRecord("${FAULT_ID}", None, given["kind"], "", State.REVERTING, {}, "${DIGEST}", "", families=["4"], process=given["process"] and ProcessId(*given["process"]))`;

/** Runs an expression of host/snapshot.py; `given` and `record` are what it may use. */
function python<T>(expression: string, given: unknown, path = process.env.PATH): T {
  const code = `import json, sys
sys.path.insert(0, sys.argv[1])
import snapshot
from linux.processes import ProcessId
from record import FaultRecord, State
given = {"kind": "process-kill", "process": None, **json.loads(sys.argv[2])}
record = ${RECORD}
print(json.dumps(${expression}))`;
  const words = ['-B', '-c', code, HOST_DIRECTORY, JSON.stringify(given)];
  return JSON.parse(execFileSync('/usr/bin/python3', words, { encoding: 'utf8', env: { PATH: path } }));
}

function compare(before: Partial<Snapshot>, after: Partial<Snapshot>, process: [number, string] | null = null) {
  const whole = (snapshot: Partial<Snapshot>) => ({ lines: [], touched: [], unread: [], ...snapshot });
  const given = { before: whole(before), after: whole(after), process };
  const call = 'snapshot.compare(snapshot.taken(given["before"]), snapshot.taken(given["after"]), record)._asdict()';
  return python<{ leftovers: string[]; changes: string[] }>(call, given);
}

describe('the proof that nothing of a fault is left', () => {
  it.each([
    `iptables-save filter -A INPUT -m comment --comment "holdfast:${FAULT_ID}" -j DROP`,
    `iptables-save filter -A INPUT -m comment --comment holdfast:${FAULT_ID} -j hf-${DIGEST}-i`,
    `ip6tables-save filter :hf-${DIGEST}-o -`,
    `ip6tables-save filter :hff-${DIGEST}-i -`,
    'stopped process 41 (start time 7)',
  ])('counts as left over: %s', (line) => {
    expect(compare({}, { lines: [line] }, [41, '7'])).toEqual({ leftovers: [line], changes: [] });
    // What carries our mark is ours, also when it was there before.
    expect(compare({ lines: [line] }, { lines: [line] }, [41, '7'])).toEqual({ leftovers: [line], changes: [] });
  });

  it.each([
    'iptables-save filter -A INPUT -s 192.0.2.10/32 -j DROP',
    'iptables-save filter -A INPUT -m comment --comment holdfast:exp.12 -j hf-000000000000-i',
    'stopped process 41 (start time 8)',
    'tc qdisc noqueue 0: dev veth1 root refcnt 2',
  ])('counts as changed by someone else: %s', (line) => {
    expect(compare({}, { lines: [line] }, [41, '7'])).toEqual({ leftovers: [], changes: [`+ ${line}`] });
    expect(compare({ lines: [line] }, {}, [41, '7'])).toEqual({ leftovers: [], changes: [`- ${line}`] });
    expect(compare({ lines: [line] }, { lines: [line] }, [41, '7'])).toEqual({ leftovers: [], changes: [] });
  });

  it('counts as left over what the kind of the fault finds different, and what it could not look at', () => {
    const found = { touched: ['tc qdisc noqueue 0: dev eth0 root'] };
    expect(compare(found, found).leftovers).toEqual([]);
    expect(compare(found, { touched: ['tc qdisc prio 4846: dev eth0 root'] }).leftovers).toEqual([
      '+ tc qdisc prio 4846: dev eth0 root',
      '- tc qdisc noqueue 0: dev eth0 root',
    ]);
    const unread = ['what the fault changes'];
    expect(compare(found, { unread }).leftovers).toEqual(['what the fault changes could not be read']);
    expect(compare({ unread }, found).leftovers).toEqual(['what the fault changes could not be read']);
  });

  it('proves nothing for a packet filter that cannot be read', () => {
    const before = { lines: ['iptables-save filter -A INPUT -j DROP', 'ip6tables-save filter -A INPUT -j DROP'] };
    const leftovers = ['iptables-save could not be read', 'ip6tables-save could not be read'];
    const unread = ['iptables-save', 'ip6tables-save'];
    expect(compare(before, { unread })).toEqual({ leftovers, changes: [] });
    expect(compare({ unread }, { unread })).toEqual({ leftovers: leftovers.slice(0, 1), changes: [] });
  });

  it('says no more than fits into the answer of a command', () => {
    const lines = Array.from({ length: 80 }, (_, index) => `tc qdisc ${index}`);
    const { changes } = compare({}, { lines });
    expect(changes).toHaveLength(51);
    expect(changes.at(-1)).toBe('and 30 more');
  });
});

describe('the answer of a host', () => {
  it('is cut to what Systems Manager keeps, and stays JSON: evidence of others goes first', () => {
    const code = `import sys
sys.path.insert(0, sys.argv[1])
import answer
lines = lambda what: [f"{what} {number} {chr(252) * 60}" for number in range(400)]
print(answer.line({"reason": "x" * 50_000, "changes": lines("change"), "leftovers": lines("left over")}))`;
    const line = execFileSync('/usr/bin/python3', ['-B', '-c', code, HOST_DIRECTORY], { encoding: 'utf8' }).trim();
    expect(line.length).toBeLessThan(24_000);
    const { changes, leftovers } = JSON.parse(line);
    expect(changes).toEqual(['and 400 more']);
    expect(leftovers[0]).toBe(`left over 0 ${'ü'.repeat(60)}`);
    expect(leftovers.at(-1)).toMatch(/^and \d+ more$/);
  });
});

describe('a snapshot', () => {
  let directory = '';
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'holdfast-snapshot-'));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));
  const stub = (name: string, script: string) =>
    writeFileSync(join(directory, name), `#!/bin/sh\n${script}\n`, { mode: 0o755 });

  it('names what could not be read: missing, failing', () => {
    stub(
      'iptables-save',
      "printf '*filter\\n:INPUT ACCEPT [0:0]\\n:FORWARD DROP [0:0]\\n-A INPUT -j DROP\\nCOMMIT\\n'",
    );
    stub('ip6tables-save', "printf '*filter\\n-A INPUT -j DROP\\n'; exit 1");
    const { lines, unread } = python<Snapshot>('snapshot.as_json(snapshot.take(record))', {}, directory);
    expect(lines.filter((line) => !line.startsWith('stopped'))).toEqual([
      'iptables-save filter -A INPUT -j DROP',
      'iptables-save filter :FORWARD DROP',
    ]);
    expect(unread).toEqual(['ip6tables-save', 'tc']);
  });
});
