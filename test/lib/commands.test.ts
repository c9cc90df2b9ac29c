import { execFileSync } from 'node:child_process';
import { it } from 'vitest';
import { expectDeclaredOnly, ON_THIS_MACHINE } from '../commands/expect-declared.ts';

it('a test finds the commands that are declared and no others', () =>
  expectDeclaredOnly(async (script) => execFileSync('sh', ['-c', script], { encoding: 'utf8' }), ON_THIS_MACHINE));
