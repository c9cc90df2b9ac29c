import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { canaryRuns } from '../../../functions/aws/canary-runs.ts';
import { CANARY_RUNS_LOOKED_UP } from '../../../functions/domain/canary-first.ts';
import { RECORD_INDEX } from '../../../functions/domain/names.ts';
import type { RecordRow } from '../../../functions/domain/records.ts';
import { Records } from '../../../functions/tables/records.ts';
import { localDynamo } from './local-dynamo.ts';
import { memoryAuditLog } from './memory-audit-log.ts';

const TABLE = 'records';
const at = (day: number) => `2026-06-${String(day).padStart(2, '0')}T12:00:00.000Z`;
const row = (id: number, change: Partial<RecordRow> = {}): RecordRow => ({
  ...{ id: `row-${id}`, experiment_id: `run_${id}`, target_cluster: 'canary', fault_type: 'PROCESS_KILL' },
  ...{ injected_at: at(id), rolled_back_at: null, was_auto_rolled_back: false, baseline_latency_ms: null },
  ...{ peak_latency_ms: null, recovery_time_seconds: null, data_loss_detected: null },
  ...change,
});

describe('records of the table', () => {
  let dynamo: Awaited<ReturnType<typeof localDynamo>>;
  let records: Records;
  beforeAll(async () => {
    const text = (AttributeName: string) => ({ AttributeName, AttributeType: 'S' as const });
    dynamo = await localDynamo(TABLE, 'id', {
      AttributeDefinitions: ['id', 'target_cluster', 'fault_type'].map(text),
      GlobalSecondaryIndexes: [
        {
          IndexName: RECORD_INDEX,
          KeySchema: [
            { AttributeName: 'target_cluster', KeyType: 'HASH' },
            { AttributeName: 'fault_type', KeyType: 'RANGE' },
          ],
          Projection: { ProjectionType: 'ALL' },
        },
      ],
    });
    records = new Records({ dynamo: dynamo.dynamo, tableName: TABLE });
    const others = [
      row(27, { fault_type: 'CPU_SPIKE' }),
      row(28, { target_cluster: 'another' }),
      // The same run again: two of its faults were of this kind.
      row(29, { experiment_id: 'run_9' }),
    ];
    for (const each of [...Array.from({ length: 25 }, (_, index) => row(index + 1)), ...others])
      await records.write(each);
  });
  afterAll(() => dynamo.close());

  it('are found by cluster, fault and the time from which they are wanted, however old the others are', async () => {
    const found = await records.findSince('canary', 'PROCESS_KILL', at(24));
    expect(found.map(({ id }) => id).sort()).toEqual(['row-24', 'row-25', 'row-29']);
  });

  it('tell of runs the newest first, each once, and of no more than are looked up', async () => {
    const runs = await canaryRuns('canary', 'PROCESS_KILL', Date.parse(at(1)), { records, audit: memoryAuditLog() });
    expect(runs).toHaveLength(CANARY_RUNS_LOOKED_UP);
    expect(runs.slice(0, 3).map(({ experimentId }) => experimentId)).toEqual(['run_9', 'run_25', 'run_24']);
  });
});
