import { describe, expect, test } from 'vitest';
import type { ApiAnswer } from '../../../lab/cli/api-client.ts';
import { plainPaint } from '../../../lab/cli/render.ts';
import { drive, EXIT, type RunPorts } from '../../../lab/cli/run-experiment.ts';

const PAYLOAD = '{ "experimentId": "exp_1" }\n';
const BASE = '/api/v1/chaos/experiments';
const NOT_FOUND: ApiAnswer = { status: 404, body: { type: 'urn:holdfast:problem:experiment-not-found' } };
const DRY_RUN: ApiAnswer = {
  status: 200,
  body: {
    admitted: true,
    experiment: { faults: [{ faultId: 'exp_1.1', kind: 'NETWORK_PARTITION' }] },
    facts: {
      clusters: [
        {
          cluster: 'redis-master',
          liveNodes: 12,
          impactedNodes: 1,
          impactedNodesPct: 8.33,
          maxNodesPct: 10,
          trafficSharePct: 0.3,
          maxTrafficSharePct: 40,
          worstCase: { abortSeconds: 5.6, leaseLossSeconds: 3.5, ttlSeconds: 60 },
        },
      ],
      targets: [
        {
          faultId: 'exp_1.1',
          impacted: [{ name: 'redis-node-3', instanceId: 'i-03', shard: 'shard-1', role: 'master' }],
        },
      ],
    },
  },
};
const REFUSED: ApiAnswer = {
  status: 409,
  body: { type: 'urn:holdfast:problem:cluster-locked', title: 'Locked', status: 409, heldBy: 'exp_0' },
};

function timeline(...types: string[]) {
  return types.map((type, index) => ({ sequence: index + 1, type, at: '2026-05-29T13:12:00.000Z', summary: type }));
}
const clean = { node: 'redis-node-3', outcome: 'REVERTED', leftovers: [] as string[] };
const RUNNING = {
  experimentId: 'exp_1',
  status: 'RUNNING',
  outcome: null,
  nodes: [{ podName: 'redis-node-3', instanceId: null, faultState: 'ISOLATED' }],
  timeline: timeline('ADMITTED', 'INJECTED'),
};
const COMPLETED = {
  experimentId: 'exp_1',
  status: 'COMPLETED',
  outcome: 'CONFIRMED',
  nodes: [clean],
  record: [{ experiment_id: 'exp_1' }],
  timeline: timeline('ADMITTED', 'INJECTED', 'ROLLED_BACK', 'RECOVERY_VERIFIED', 'CONCLUDED'),
};
const ABORTED = { ...COMPLETED, status: 'ABORTED', outcome: 'INCONCLUSIVE' };

type Documents = (Record<string, unknown> | 'unreachable' | 'unknown')[];

/** An API that has the given documents to show, one a poll, the last one for ever. */
function rig(options: { dryRun?: ApiAnswer; start?: ApiAnswer | Error; documents: Documents; known?: boolean }) {
  const calls: string[] = [];
  const posted: string[] = [];
  const printed: string[] = [];
  const written: unknown[] = [];
  let poll = options.known ? 0 : -1;
  let nowMs = 0;
  const current = (): ApiAnswer => {
    const document = options.documents[Math.max(0, Math.min(poll, options.documents.length - 1))];
    if (document === 'unreachable') throw new Error('connect ECONNREFUSED');
    if (document === 'unknown' || document === undefined) return NOT_FOUND;
    return { status: 200, body: document };
  };
  const ports: RunPorts = {
    client: {
      close: () => undefined,
      call: async (method, path, body) => {
        calls.push(`${method} ${path}`);
        if (method === 'POST' && path.endsWith('dryRun=true')) return options.dryRun ?? DRY_RUN;
        if (method === 'POST' && path === BASE) {
          posted.push(body ?? '');
          poll = 0;
          if (options.start instanceof Error) throw options.start;
          return options.start ?? { status: 202, body: { experimentId: 'exp_1', status: 'INJECTED' } };
        }
        if (path.endsWith('/abort')) return { status: 202, body: {} };
        return poll < 0 ? NOT_FOUND : current();
      },
    },
    clock: {
      nowEpochMs: () => nowMs,
      monotonicMs: () => nowMs,
      sleep: async (milliseconds) => {
        nowMs += milliseconds;
        poll += 1;
      },
    },
    screen: { paint: plainPaint, live: false, print: (lines) => void printed.push(...lines), frame: () => undefined },
    writeDocument: (document) => void written.push(document),
    onAbortTaken: () => calls.push('abort taken'),
  };
  return { ports, calls, posted, printed, written };
}

const never = new AbortController().signal;

describe('run', () => {
  test('succeeds only when completed, rolled back, verified clean and confirmed', async () => {
    const good = rig({ documents: [RUNNING, RUNNING, COMPLETED] });
    expect(await drive(PAYLOAD, never, good.ports)).toBe(EXIT.succeeded);
    expect(good.posted).toEqual([PAYLOAD]);
    expect(good.written).toEqual([expect.objectContaining({ records: [{ experiment_id: 'exp_1' }] })]);
    expect(good.written[0]).not.toHaveProperty('record');
    for (const document of [
      { ...COMPLETED, outcome: 'DEVIATED' },
      { ...COMPLETED, outcome: 'INCONCLUSIVE' },
      { ...COMPLETED, status: 'ABORTED' },
      { ...COMPLETED, status: 'ROLLBACK_FAILED' },
      { ...COMPLETED, nodes: [] },
      { ...COMPLETED, nodes: [{ podName: 'redis-node-3', faultState: 'REVERTED' }] },
      { ...COMPLETED, nodes: [{ ...clean, leftovers: ['-A INPUT'] }] },
      { ...COMPLETED, nodes: [{ ...clean, outcome: 'FAILED' }] },
      { ...COMPLETED, nodes: [{ ...clean, outcome: 'NOTHING_TO_REVERT' }] },
      { ...COMPLETED, timeline: timeline('ADMITTED', 'INJECTED', 'ROLLED_BACK', 'CONCLUDED') },
      { ...COMPLETED, timeline: timeline('ADMITTED', 'INJECTED', 'RECOVERY_VERIFIED', 'CONCLUDED') },
    ]) {
      expect(await drive(PAYLOAD, never, rig({ documents: [document] }).ports)).toBe(EXIT.failed);
    }
  });

  test('a refusal by the dry run starts nothing and shows why', async () => {
    const { ports, posted, printed, written } = rig({ dryRun: REFUSED, documents: [] });
    expect(await drive(PAYLOAD, never, ports)).toBe(EXIT.refused);
    expect(posted).toEqual([]);
    expect(printed.join('\n')).toContain('heldBy: exp_0');
    expect(written).toEqual([{ experimentId: 'exp_1', status: 'REFUSED', problem: REFUSED.body }]);
  });

  test('a refusal at the start is a refusal', async () => {
    expect(await drive(PAYLOAD, never, rig({ start: REFUSED, documents: ['unknown'] }).ports)).toBe(EXIT.refused);
  });

  test('says plainly when the id ran before, and starts nothing', async () => {
    const { ports, posted, printed } = rig({ documents: [COMPLETED], known: true });
    expect(await drive(PAYLOAD, never, ports)).toBe(EXIT.refused);
    expect(posted).toEqual([]);
    expect(printed.join('\n')).toContain('another experimentId');
  });

  test('an interrupt aborts once and still waits for the rollback', async () => {
    const controller = new AbortController();
    const { ports, calls } = rig({ documents: [RUNNING, RUNNING, RUNNING, ABORTED] });
    const sleep = ports.clock.sleep;
    ports.clock.sleep = (milliseconds) => {
      controller.abort();
      return sleep(milliseconds);
    };
    expect(await drive(PAYLOAD, controller.signal, ports)).toBe(EXIT.interrupted);
    expect(calls.filter((call) => call.includes('abort'))).toEqual([`POST ${BASE}/exp_1/abort`, 'abort taken']);
  });

  test('an interrupt before the start touches nothing', async () => {
    const { ports, posted } = rig({ documents: [] });
    expect(await drive(PAYLOAD, AbortSignal.abort(), ports)).toBe(EXIT.interrupted);
    expect(posted).toEqual([]);
  });

  test('a start without an answer may have begun: it is followed to its end', async () => {
    const { ports } = rig({ start: new Error('socket hang up'), documents: ['unknown', RUNNING, COMPLETED] });
    expect(await drive(PAYLOAD, never, ports)).toBe(EXIT.succeeded);
  });

  test('a start that failed in the API may have begun: its problem is shown once and it is followed to its end', async () => {
    for (const status of [500, 502, 504]) {
      const start = { status, body: { message: 'Endpoint request timed out' } };
      const { ports, printed } = rig({ start, documents: ['unknown', RUNNING, COMPLETED] });
      expect(await drive(PAYLOAD, never, ports)).toBe(EXIT.succeeded);
      expect(printed.filter((line) => line.includes('Endpoint request timed out'))).toHaveLength(1);
    }
  });

  test('a start that failed and is unknown to the API until it has been silent for long is a failure, said as what it is', async () => {
    const { ports, printed, written } = rig({ start: { status: 504, body: {} }, documents: ['unknown'] });
    expect(await drive(PAYLOAD, never, ports)).toBe(EXIT.failed);
    expect(printed.join('\n')).toContain('not known to the API');
    expect(ports.clock.monotonicMs()).toBeGreaterThan(30_000);
    expect(written).toEqual([expect.objectContaining({ status: 'UNKNOWN' })]);
  });

  test('an API that is away for a while is asked again; one that stays away is reported as an unknown end', async () => {
    const back = rig({ documents: [RUNNING, 'unreachable', 'unreachable', COMPLETED] });
    expect(await drive(PAYLOAD, never, back.ports)).toBe(EXIT.succeeded);
    const gone = rig({ documents: [RUNNING, 'unreachable'] });
    expect(await drive(PAYLOAD, never, gone.ports)).toBe(EXIT.failed);
    expect(gone.printed.join('\n')).toContain('its end is unknown');
  });

  test('a payload without an id is refused before the API is called', async () => {
    const { ports, calls } = rig({ documents: [] });
    await expect(drive('{}', never, ports)).rejects.toThrow('experimentId');
    await expect(drive('not json', never, ports)).rejects.toThrow('not JSON');
    expect(calls).toEqual([]);
  });
});
