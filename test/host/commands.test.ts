import { expect, it } from 'vitest';
import { expectDeclaredOnly, ON_THIS_MACHINE } from '../commands/expect-declared.ts';
import { inWorld } from './world.ts';

it('a host in a namespace finds the commands that are declared and no others, also by their whole path', () =>
  inWorld('network-partition', async (world) => {
    await expectDeclaredOnly(async (script) => (await world.exec(['bash', '-c', script])).out, ON_THIS_MACHINE);
    // Debian has it, and nothing of ours may use it.
    expect((await world.exec(['/usr/bin/perl', '-v'])).out).toMatch(/No such file/);
  }));
