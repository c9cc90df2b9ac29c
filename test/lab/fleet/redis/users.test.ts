import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { NODE_RIGHTS, SENTINEL_RIGHTS } from '../../../../lab/fleet/redis/users.ts';

const README = readFileSync(new URL('../../../../README.md', import.meta.url), 'utf8');
/** As a table of Markdown has it. */
const written = (rights: string | undefined) => `\`${rights?.replaceAll('|', '\\|')}\``;

test.each([
  ['of `secretName` | every node', NODE_RIGHTS.holdfast],
  ['of `secretName` | every Sentinel', SENTINEL_RIGHTS.holdfast],
  ['of `hostCredentialsFile` | every node', NODE_RIGHTS['holdfast-host']],
  ['of `hostCredentialsFile` | every Sentinel', SENTINEL_RIGHTS['holdfast-host']],
])('in the lab, the user %s has exactly the rights that README asks for', (row, rights) => {
  const line = README.split('\n').find((each) => each.startsWith(`| ${row} |`));
  expect(line).toContain(`| ${written(rights)}`);
});
