import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

/** Follows docs/adding-a-fault.md, in a copy, for a kind that nobody has: no more edits than there are on the page. */
const ROOT = new URL('../../../', import.meta.url).pathname;
const PAGE = 'docs/adding-a-fault.md';
/** All of the repository but what is made or installed. */
const COPIED = readdirSync(ROOT).filter((name) => !/^(\..*|node_modules|cdk\.out.*)$/.test(name));
const NEW = { kind: 'PORT_SHORTAGE', script: 'port-shortage', module: 'port_shortage' };
const PATIENCE_MS = 90_000;

const KIND = `import { hostKind } from './define-kind.ts';
import { nodeNames, optional, percent, wholeNumber } from './fields.ts';
import { rule } from './rules.ts';

export const portShortage = hostKind({
  kind: 'PORT_SHORTAGE',
  description: 'Leaves the node few ports for the connections that it opens.',
  fields: {
    targetNodes: nodeNames,
    leftPorts: optional(wholeNumber('ports that are left', { min: 7, max: 777 })),
    leftPct: optional(percent('share of its ports that are left', { max: 50 })),
  },
  rules: [rule('exactlyOne', 'leftPorts', 'leftPct')],
  faultState: 'SHORT_OF_PORTS',
  example: { targetNodes: ['node-3'], leftPorts: 100 },
  impactedNodes: ({ targetNodes }) => targetNodes,
  resource: 'port-shortage',
  fence: false,
  unmarked: true,
  undo: () => ['give the node its range of ports back'],
});
`;

// What follows is in the protocol of host/faults/__init__.py, to be checked against it: see *Writing a kind*.
const MODULE = `"""PORT_SHORTAGE: the host has few ports for the connections that it opens."""

from __future__ import annotations

from faults import Counting, Effect, Fault, FaultRecord, Pipes

RANGE = "/proc/sys/net/ipv4/ip_local_port_range"


class PortShortage(Fault):
    def prepare(self, record: FaultRecord) -> list[str]:
        record.facts["range"] = current()
        return [f"write {current()} to {RANGE}"]

    def apply(self, record: FaultRecord, pipes: Pipes, seconds: int) -> None:
        low, high = map(int, str(record.facts["range"]).split())
        left = int(record.values["leftPorts"]) or (high - low + 1) * int(record.values["leftPct"]) // 100
        write(f"{low} {low + left - 1}")

    def revert(self, record: FaultRecord) -> None:
        write(str(record.facts["range"]))

    def status(self, record: FaultRecord) -> bool:
        return current() != record.facts["range"]

    def observe(self, record: FaultRecord, provokes: bool) -> Effect:
        low, high = map(int, current().split())
        return Effect("ports for connections", "ports", high - low + 1, Counting.LEVEL)


def current() -> str:
    with open(RANGE, encoding="ascii") as file:
        return " ".join(file.read().split())


def write(ports: str) -> None:
    with open(RANGE, "w", encoding="ascii") as file:
        file.write(ports)


FAULT = PortShortage()
`;

const CASE = `import type { KindCase } from '../kind-case.ts';

const RANGE = ['cat', '/proc/sys/net/ipv4/ip_local_port_range'];

export const portShortage: KindCase = {
  kind: 'port-shortage',
  runsIn: 'namespace',
  parameters: { leftPorts: '100', leftPct: '0' },
  isThere: async (host) => (await host.exec(RANGE)).out.trim().endsWith('32867'),
  traces: async (host) => (await host.exec(RANGE)).out,
};
`;

const EXAMPLE = {
  experimentId: 'exp_port_shortage',
  targetService: 'redis-master',
  action: NEW.kind,
  parameters: { targetNodes: ['redis-node-3'], leftPorts: 100 },
  durationSeconds: 60,
  safetyThreshold: { maxAlertSeverity: 'WARNING', automaticRollbackOnAlert: true },
};

/** What each step of the page does, by the file that it names for the new kind. */
const EDITS: Record<string, (found: string) => string> = {
  'functions/domain/faults/port-shortage.ts': () => KIND,
  'functions/domain/faults/catalogue.ts': (found) =>
    found
      .replace('import { processKill }', "import { portShortage } from './port-shortage.ts';\nimport { processKill }")
      .replace('export const HOST_KINDS = {\n', `$&  ${NEW.kind}: portShortage,\n`),
  'host/faults/port_shortage.py': () => MODULE,
  'test/host/kinds/port-shortage.ts': () => CASE,
  'examples/redis-port-shortage.json': () => `${JSON.stringify(EXAMPLE, null, 2)}\n`,
};

/** The files that the numbered steps for a kind of the hosts name, with the new kind in place of the page's. */
function filesOfThePage(): string[] {
  const [, section = ''] = readFileSync(`${ROOT}${PAGE}`, 'utf8').split(
    /^## A kind that the host's watchdog applies$/m,
  );
  const steps = (section.split(/^## /m)[0] ?? '').matchAll(/^(\d+)\. \*\*`([^`]+)`\*\*/gm);
  return [...steps].map(([, , file = '']) => file.replace('disk-slow', NEW.script).replace('disk_slow', NEW.module));
}

/** What another part of the copy says of the new kind; its last line is JSON. */
const SHOW = `
import { readFileSync } from 'node:fs';
import { parseExperiment } from './functions/domain/parse-experiment.ts';
import { composeProgram } from './lib/compose-program.ts';
import { documentParameters } from './lib/document-parameters.ts';
import { writeProgram } from './test/lib/write-program.ts';
import { KIND_CASES } from './test/host/kinds/index.ts';
const body = JSON.parse(readFileSync('examples/redis-port-shortage.json', 'utf8'));
const parsed = (parameters) => parseExperiment(JSON.stringify({ ...body, parameters }), {});
console.log(JSON.stringify({
  accepted: parsed(body.parameters).ok,
  refused: parsed({ targetNodes: ['redis-node-3'], leftPorts: 6 }).problem.errors,
  document: documentParameters('PORT_SHORTAGE'),
  program: Object.fromEntries(writeProgram(composeProgram(process.cwd() + '/host/', ['PORT_SHORTAGE']))),
  cases: KIND_CASES.map(({ kind }) => kind),
}));`;

const SPECIFICATION = `import json, sys
sys.path.insert(0, "host")
import specification as s
print(json.dumps([s.PARAMETERS["${NEW.script}"], s.RULES["${NEW.script}"], s.RESOURCES["${NEW.script}"]]))`;

let copy: string;
/** A command in the copy. It is no part of this test run, whatever the environment says. */
async function run(command: string, ...argv: string[]): Promise<string> {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('VITEST')));
  try {
    return (await promisify(execFile)(command, argv, { cwd: copy, env, maxBuffer: 1 << 26 })).stdout;
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${command} ${argv.join(' ')}\n${stdout}\n${stderr}`);
  }
}
const read = (path: string) => readFileSync(join(copy, path), 'utf8');

beforeAll(async () => {
  copy = mkdtempSync(join(tmpdir(), 'adding-a-fault-'));
  for (const name of COPIED) cpSync(`${ROOT}${name}`, join(copy, name), { recursive: true });
  symlinkSync(`${ROOT}node_modules`, join(copy, 'node_modules'));
  for (const [file, edit] of Object.entries(EDITS)) {
    const exists = file.endsWith('catalogue.ts');
    mkdirSync(dirname(join(copy, file)), { recursive: true });
    writeFileSync(join(copy, file), edit(exists ? read(file) : ''), { flag: exists ? 'w' : 'wx' });
  }
  await run(process.execPath, 'bin/generate.ts');
}, PATIENCE_MS);
afterAll(() => rmSync(copy, { recursive: true, force: true }));

describe('docs/adding-a-fault.md', () => {
  it('needs five edits for a kind of the hosts, and this test makes these', () => {
    expect(filesOfThePage()).toEqual(Object.keys(EDITS));
    expect(filesOfThePage().length).toBeLessThanOrEqual(5);
  });

  it(
    'makes a kind that the API accepts, that has a document, a program and a case of the safety suite',
    async () => {
      const shown = JSON.parse(await run(process.execPath, '--input-type=module-typescript', '-e', SHOW));
      expect(shown.accepted).toBe(true);
      expect(shown.refused).toEqual([
        {
          field: 'parameters.leftPorts',
          message: expect.any(String),
          allowed: 'a whole number from 7 to 777: ports that are left; this or leftPct',
        },
      ]);
      expect(Object.keys(shown.document)).toEqual(expect.arrayContaining(['ttlSeconds', 'leftPorts', 'leftPct']));
      expect(shown.program['faults/port_shortage.py']).toContain('class PortShortage');
      expect(shown.cases).toContain(NEW.script);
    },
    PATIENCE_MS,
  );

  it('puts it into what is generated: the table of kinds, the list of examples, what the host checks', async () => {
    expect(read('docs/faults.md')).toContain('\n## PORT_SHORTAGE\n');
    expect(read('examples/README.md')).toContain('`redis-port-shortage.json`');
    const [parameters, rules, resource] = JSON.parse(await run('/usr/bin/python3', '-I', '-B', '-c', SPECIFICATION));
    expect(Object.keys(parameters)).toEqual(['fence', 'leftPorts', 'leftPct']);
    expect(new RegExp(`^${parameters.leftPorts}$`).test('777')).toBe(true);
    expect(new RegExp(`^${parameters.leftPorts}$`).test('778')).toBe(false);
    expect([rules, resource]).toEqual([[['exactlyOne', 'leftPorts', 'leftPct']], NEW.script]);
  });

  it(
    'type checks',
    async () => {
      const include = ['bin/generate.ts', 'functions/domain', 'test/host/kinds', 'test/functions/domain'];
      writeFileSync(join(copy, 'tsconfig.added.json'), JSON.stringify({ extends: './tsconfig.json', include }));
      await run(join(copy, 'node_modules/.bin/tsc'), '--noEmit', '-p', 'tsconfig.added.json');
    },
    PATIENCE_MS,
  );

  it(
    'passes the tests of every kind, which try the values that its fields may hold',
    async () => {
      const tests = ['domain/faults', 'document-parameters', 'fault-table', 'host-specification'];
      const said = await run(
        join(copy, 'node_modules/.bin/vitest'),
        'run',
        '--project',
        'unit',
        '--reporter',
        'verbose',
        ...tests,
      );
      expect(said).toMatch(/accepts what PORT_SHORTAGE allows/);
    },
    PATIENCE_MS,
  );
});
