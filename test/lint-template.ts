import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { pythonPackages } from '../lab/shared/python-packages.ts';
import { REGION } from '../lab/shared/topology.ts';
import { template } from './lib/synthesized.ts';

/**
 * Holds the synthesized template to CloudFormation's own schemas, with cfn-lint: every finding but the excused ones fails,
 * and so does an excuse that excuses nothing.
 */
const EXCUSED: Record<string, string> = {
  W3005: 'CDK lets a resource wait for the role itself beside its policies; the reference to the role says so already.',
};
const MAIN = 'import sys; from cfnlint.runner import main; sys.exit(main())';
const findings = z.array(
  z.looseObject({
    Rule: z.looseObject({ Id: z.string() }),
    Message: z.string(),
    Location: z.looseObject({ Path: z.array(z.union([z.string(), z.number()])).nullish() }),
  }),
);

const directory = mkdtempSync(join(tmpdir(), 'holdfast-template-'));
const file = join(directory, 'template.json');
writeFileSync(file, JSON.stringify(template.toJSON()));
const lint = spawnSync('/usr/bin/python3', ['-c', MAIN, file, '--format', 'json', '--regions', REGION], {
  encoding: 'utf8',
  env: { ...process.env, PYTHONPATH: pythonPackages('test/requirements.txt') },
  maxBuffer: 64 * 1024 * 1024,
});
rmSync(directory, { recursive: true, force: true });
if (lint.stderr !== '' || lint.stdout === '') throw new Error(`cfn-lint: ${lint.error ?? lint.stderr}`);

const found = findings.parse(JSON.parse(lint.stdout));
const lines = found
  .filter(({ Rule }) => EXCUSED[Rule.Id] === undefined)
  .map(({ Rule, Message, Location }) => `${Rule.Id} ${Location.Path?.join('/') ?? ''}: ${Message}`);
const idle = Object.keys(EXCUSED).filter((id) => !found.some(({ Rule }) => Rule.Id === id));
lines.push(...idle.map((id) => `${id} is excused in ${import.meta.filename} and was not found`));
for (const line of lines) console.error(`template: ${line}`);
process.exitCode = lines.length === 0 ? 0 : 1;
