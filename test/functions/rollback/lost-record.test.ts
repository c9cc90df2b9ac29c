import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  HOST_FAULT_KINDS,
  type HostFaultKind,
  hostKindOf,
  scriptName,
} from '../../../functions/domain/faults/catalogue.ts';
import type { HostReport } from '../../../functions/domain/host-report.ts';
import { rollBack } from '../../../functions/rollback/roll-back.ts';
import { command, logOf, nodeAnswer } from '../domain/fixtures.ts';
import { SimulatedClock } from '../domain/simulated-clock.ts';
import { memoryAuditLog } from '../tables/memory-audit-log.ts';

const HOST_DIRECTORY = new URL('../../../host/', import.meta.url).pathname;

type Answered = 'INJECTED' | 'INJECTION_FAILED';

interface Confirmed {
  state?: string;
  bootId?: string;
}

/** What the rollback makes of a host that knows of nothing, after it has answered the injection like this. */
async function judged(kind: HostFaultKind, confirmed: Confirmed, bootId?: string, type: Answered = 'INJECTED') {
  const node = { node: 'n3', instanceId: 'i-3', faultId: 'exp.1' };
  const answers = [nodeAnswer({ ...node, bootId: undefined, ...confirmed })];
  const audit = memoryAuditLog({
    entries: logOf('exp', ['INJECTING', { commands: [command({ ...node, kind })] }], [type, { nodes: answers }]),
  });
  const clock = new SimulatedClock();
  const report: HostReport = { faultId: 'exp.1', state: 'NOTHING_TO_REVERT', leftovers: [], bootId };
  const { outcome, nodes } = await rollBack(
    { experimentId: 'exp', reason: 'TTL', detail: 'over', hasFisFaults: false },
    {
      clock,
      services: { rollBack: async () => [] },
      document: 'roll-back',
      leases: { release: async () => true, read: async () => undefined },
      audit,
      hosts: {
        async run() {
          clock.advance(500);
          return { status: 'Success', report };
        },
      },
    },
  );
  return { outcome, node: nodes[0]?.outcome, detail: nodes[0]?.detail };
}

const APPLIED = { state: 'APPLIED', bootId: 'boot-1' };
const CLEAN = { outcome: 'ROLLED_BACK', node: 'NOTHING_TO_REVERT', detail: undefined };

describe('a host that has lost the record of a fault', () => {
  it.each(['CLOCK_DRIFT', 'PROCESS_PAUSE', 'PROCESS_KILL'] as const)(
    'does not prove that %s has ended, while it runs on since it confirmed the fault',
    async (kind) => {
      const failed = { outcome: 'ROLLBACK_FAILED', node: 'FAILED', detail: expect.stringMatching(/lost its record/) };
      expect(await judged(kind, APPLIED, 'boot-1')).toEqual(failed);
      // The other hosts of the batch may have failed: this one had it all the same.
      expect(await judged(kind, APPLIED, 'boot-1', 'INJECTION_FAILED')).toEqual(failed);
    },
  );

  it.each([
    ['now', APPLIED, undefined],
    ['at the injection', { state: 'APPLIED' }, 'boot-1'],
  ])('proves nothing when it is not known in which boot it is %s', async (_when, confirmed, bootId) => {
    expect((await judged('CLOCK_DRIFT', confirmed, bootId)).outcome).toBe('ROLLBACK_FAILED');
  });

  it('is clean when it has been restarted since, which no fault survives', async () => {
    expect(await judged('CLOCK_DRIFT', APPLIED, 'boot-2')).toEqual(CLEAN);
  });

  it('is believed when it never confirmed the fault', async () => {
    expect(await judged('CLOCK_DRIFT', { state: 'REFUSED', bootId: 'boot-1' }, 'boot-1')).toEqual(CLEAN);
  });

  it('is believed for a fault that it would have found by its mark', async () => {
    expect(await judged('NETWORK_PARTITION', APPLIED, 'boot-1')).toEqual(CLEAN);
  });

  it.each(HOST_FAULT_KINDS)('would find %s by a mark, unless the kind says that it has none', (kind) => {
    const file = `${HOST_DIRECTORY}faults/${scriptName(kind).replaceAll('-', '_')}.py`;
    const module = readFileSync(file, 'utf8');
    // Rules and the like carry the mark of the fault, and so does every worker.
    const isFound = /^ {4}is_marked = True$/m.test(module) || /^WORKER = /m.test(module);
    if (!isFound) expect(hostKindOf(kind).unmarked).toBe(true);
  });
});
