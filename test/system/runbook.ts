import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CHECKOUT } from '../../lab/shared/files.ts';
import { tableName } from './administrator.ts';
import type { SystemUnderTest } from './harness.ts';

const run = promisify(execFile);

/** The command of docs/runbook.md that writes this state into the row of the kill switch, as it stands on the page. */
function commandFor(state: 'HOLD' | 'RELEASED'): string {
  const page = readFileSync(join(CHECKOUT, 'docs/runbook.md'), 'utf8');
  const commands = page.match(/^aws dynamodb update-item (?:.*\\\n)*.*$/gm) ?? [];
  const [command, ...others] = commands.filter(
    (text) => text.includes(`{"S":"${state}"}`) && text.includes('"GLOBAL"'),
  );
  if (command === undefined || others.length > 0) throw new Error(`docs/runbook.md: not one command writes ${state}`);
  return command;
}

/** Runs it with the command line of AWS and the rights of an administrator, against the lab. */
export async function runbook({ lab }: SystemUnderTest, state: 'HOLD' | 'RELEASED'): Promise<void> {
  const { administrator, apiUrl, region, caFile } = lab;
  if (!administrator || !apiUrl) throw new Error('the lab has no AWS side');
  const environment = {
    ...{ PATH: process.env.PATH, HOME: '/nonexistent', AWS_EC2_METADATA_DISABLED: 'true', AWS_PAGER: '' },
    ...{ AWS_ACCESS_KEY_ID: administrator.accessKeyId, AWS_SECRET_ACCESS_KEY: administrator.secretAccessKey },
    ...{ AWS_REGION: region, AWS_CA_BUNDLE: caFile, ENDPOINT: new URL(apiUrl).origin, table: tableName('LeaseTable') },
  };
  // The page is for AWS itself, and says where nothing else is.
  const script = `aws() { /usr/bin/aws --endpoint-url "$ENDPOINT" "$@"; }\n${commandFor(state)}`;
  await run('sh', ['-c', script], { env: environment });
}
