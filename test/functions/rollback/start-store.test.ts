import { describe, expect, it } from 'vitest';
import type { CommandResult, HostCommand } from '../../../functions/aws/host-commands.ts';
import { parseHostReport } from '../../../functions/domain/host-report.ts';
import { startStore } from '../../../functions/rollback/start-store.ts';

const host = { node: 'node-3', instanceId: 'i-3', faultId: 'exp.1' };

async function ask(answer: Partial<CommandResult>, said?: object) {
  const sent: [HostCommand, number][] = [];
  const report = said && parseHostReport(JSON.stringify({ faultId: 'exp.1', state: 'REVERTED', ...said }));
  const hosts = {
    run: async (command: HostCommand, timeoutMs: number): Promise<CommandResult> => {
      sent.push([command, timeoutMs]);
      return { status: 'Success', ...answer, ...(report ? { report } : {}) };
    },
  };
  return { result: await startStore('exp', host, { hosts, document: 'Roll-back' }), sent };
}

describe('the start of a store that had ended', () => {
  it('is asked of the host of the fault that is over, once and for seconds', async () => {
    const { result, sent } = await ask({}, { started: true });
    expect(result).toEqual({ repair: 'node-3: store started, it had ended or shut itself' });
    const parameters = { experimentId: 'exp', faultId: 'exp.1', verb: 'start' };
    expect(sent).toEqual([[{ document: 'Roll-back', instanceId: 'i-3', parameters }, 10_000]]);
  });

  it('is nothing to tell of where the store was not down', async () => {
    expect((await ask({}, { started: false })).result).toEqual({});
  });

  it.each([
    [
      'refuses',
      { status: 'Failed' },
      { state: 'REFUSED', reason: 'exp.2 lives on this host' },
      /exp\.2 lives on this host$/,
    ],
    ['does not answer', { status: 'DEADLINE', detail: 'not ended within 10000 ms' }, undefined, /not ended within/],
    ['cannot be asked', { status: 'NOT_SENT' }, undefined, /NOT_SENT$/],
    ['speaks of another fault', {}, { faultId: 'exp.2', started: true }, /could not be started: Success$/],
    ['does not say', {}, {}, /could not be started/],
  ])('is a problem when the host %s', async (_, answer, said, problem) => {
    expect((await ask(answer, said)).result).toEqual({ problem: expect.stringMatching(problem) });
  });
});
