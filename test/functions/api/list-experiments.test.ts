import { describe, expect, it } from 'vitest';
import { listExperiments } from '../../../functions/api/list-experiments.ts';
import { recordsOf } from '../../../functions/domain/records.ts';
import { fullRun } from '../domain/fixtures.ts';

const [row] = recordsOf('exp_chaos_redis_019', fullRun());
if (!row) throw new Error('no record');

describe('listing experiments', () => {
  it('answers by cluster and fault, newest first', async () => {
    const rows = ['2026-01-01', '2026-03-01', '2026-02-01'].map((injected_at) => ({ ...row, injected_at }));
    const asked: unknown[] = [];
    const records = {
      find: async (cluster: string, fault: string | undefined) => {
        asked.push([cluster, fault]);
        return rows;
      },
    };
    expect(await listExperiments({ cluster: 'c', fault: 'PROCESS_KILL' }, { records })).toEqual({
      status: 200,
      body: { experiments: [rows[1], rows[2], rows[0]], truncated: false },
    });
    expect(asked).toEqual([['c', 'PROCESS_KILL']]);
  });

  it('says that there are more when it has as many rows as it asked for', async () => {
    const records = {
      find: async (_cluster: string, _fault: string | undefined, most: number) => Array(most).fill(row),
    };
    expect(await listExperiments({ cluster: 'c' }, { records })).toMatchObject({ body: { truncated: true } });
  });

  it.each([
    [{}, 'cluster'],
    [{ fault: 'PROCESS_KILL' }, 'cluster'],
    [{ cluster: '' }, 'cluster'],
    [{ cluster: 'x'.repeat(3000) }, 'cluster'],
    [{ cluster: 'c', fault: 'kill' }, 'fault'],
  ])('refuses %j and names %s', async (query, field) => {
    const answer = await listExperiments(query, { records: { find: async () => [] } });
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ field }] } });
  });
});
