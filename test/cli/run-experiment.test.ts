import { describe, expect, test } from 'vitest';
import type { ApiAnswer } from '../../cli/api-client.ts';
import { plainPaint } from '../../cli/render.ts';
import { type RunEnd, type RunPorts, type RunWishes, runExperiment } from '../../cli/run-experiment.ts';
import { CLUSTER_FACTS, TARGETS } from './dry-run-fixture.ts';

const PAYLOAD = '{ "experimentId": "exp_1" }\n';
const BASE = '/api/v1/chaos/experiments';
const NOT_FOUND: ApiAnswer = { status: 404, body: { type: 'urn:holdfast:problem:experiment-not-found' } };
const DRY_RUN: ApiAnswer = {
  status: 200,
  body: {
    admitted: true,
    experiment: { faults: [{ faultId: 'exp_1.1', kind: 'NETWORK_PARTITION' }] },
    facts: {
      clusters: [CLUSTER_FACTS],
      targets: TARGETS,
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
function rig(options: {
  dryRun?: ApiAnswer;
  start?: ApiAnswer | Error;
  abort?: ApiAnswer;
  documents: Documents;
  known?: boolean;
}) {
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
        if (path.endsWith('/abort')) return options.abort ?? { status: 202, body: {} };
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
    screen: {
      ...{ paint: plainPaint, live: false, isTerminal: false, frame: () => undefined, ask: () => undefined },
      print: (lines) => void printed.push(...lines),
    },
    writeDocument: (document) => void written.push(document),
  };
  return { ports, calls, posted, printed, written };
}

const never = new AbortController().signal;

/** Runs it, and aborts when `abort` says so. @returns how it ended */
function drive(ports: RunPorts, wishes: Partial<RunWishes> = {}, until?: 'over' | 'in place'): Promise<RunEnd> {
  const all = { abort: never, leave: never, onAbortTaken: () => undefined, answered: async () => undefined, ...wishes };
  return runExperiment({ experimentId: 'exp_1', payload: PAYLOAD }, all, ports, until);
}

describe('run', () => {
  test('posts the payload byte for byte, follows it to its end and hands over one document', async () => {
    const { ports, posted, written } = rig({ documents: [RUNNING, RUNNING, COMPLETED] });
    expect(await drive(ports)).toMatchObject({ kind: 'ended', document: { status: 'COMPLETED' } });
    expect(posted).toEqual([PAYLOAD]);
    expect(written).toEqual([expect.objectContaining({ records: [{ experiment_id: 'exp_1' }] })]);
    expect(written[0]).not.toHaveProperty('record');
  });

  test('a refusal by the dry run starts nothing and shows why', async () => {
    const { ports, posted, printed, written } = rig({ dryRun: REFUSED, documents: [] });
    expect(await drive(ports)).toEqual({ kind: 'refused', answer: REFUSED });
    expect(posted).toEqual([]);
    expect(printed.join('\n')).toContain('heldBy: exp_0');
    expect(written).toEqual([{ experimentId: 'exp_1', status: 'REFUSED', problem: REFUSED.body }]);
  });

  test('a refusal at the start is a refusal', async () => {
    const { ports } = rig({ start: REFUSED, documents: ['unknown'] });
    expect(await drive(ports)).toEqual({ kind: 'refused', answer: REFUSED });
  });

  test('says plainly when the id ran before, and starts nothing', async () => {
    const { ports, posted, printed, written } = rig({ documents: [COMPLETED], known: true });
    expect(await drive(ports)).toMatchObject({ kind: 'ran before' });
    expect(posted).toEqual([]);
    expect(printed.join('\n')).toContain('another experimentId');
    expect(written).toEqual([expect.objectContaining({ startedNow: false })]);
  });

  test('an interrupt aborts once and still waits for the rollback', async () => {
    const { ports, calls } = rig({ documents: [RUNNING, RUNNING, RUNNING, ABORTED] });
    const controller = onFirstSleep(ports);
    const wishes = { abort: controller.signal, onAbortTaken: () => void calls.push('abort taken') };
    expect(await drive(ports, wishes)).toMatchObject({ kind: 'ended', document: { status: 'ABORTED' } });
    expect(calls.filter((call) => call.includes('abort'))).toEqual([`POST ${BASE}/exp_1/abort`, 'abort taken']);
  });

  test('an interrupt aborts at once, also while a look at the experiment is not answered', async () => {
    const { ports, calls } = rig({ documents: [RUNNING, RUNNING, ABORTED] });
    const { call } = ports.client;
    const controller = new AbortController();
    let answerLook = (): void => undefined;
    ports.client.call = async (method, path, body) => {
      if (method === 'GET' && calls.includes(`POST ${BASE}`) && !controller.signal.aborted) {
        const answered = new Promise<void>((resolve) => {
          answerLook = resolve;
        });
        controller.abort();
        await answered;
      }
      const answer = await call(method, path, body);
      if (path.endsWith('/abort')) answerLook();
      return answer;
    };
    expect(await drive(ports, { abort: controller.signal })).toMatchObject({ document: { status: 'ABORTED' } });
    expect(calls.filter((made) => made.includes('abort'))).toHaveLength(1);
  });

  test('an abort that the API does not take is said once, and asked for until it is taken', async () => {
    const forbidden = { status: 403, body: { message: 'User is not authorized to perform: execute-api:Invoke' } };
    const { ports, printed, calls } = rig({
      documents: [RUNNING, RUNNING, RUNNING, RUNNING, COMPLETED],
      abort: forbidden,
    });
    const controller = onFirstSleep(ports);
    expect(await drive(ports, { abort: controller.signal })).toMatchObject({ kind: 'ended' });
    expect(printed.filter((line) => line.includes('The abort was not taken'))).toHaveLength(1);
    expect(calls.filter((call) => call.includes('abort')).length).toBeGreaterThan(1);
  });

  test('an interrupt before the start touches nothing', async () => {
    const { ports, posted } = rig({ documents: [] });
    expect(await drive(ports, { abort: AbortSignal.abort() })).toEqual({ kind: 'not started' });
    expect(posted).toEqual([]);
  });

  test('an abort that the silent API does not take is asked for until no fault can be in place any more', async () => {
    const running = { ...RUNNING, remainingSeconds: 90 };
    const back = rig({ documents: [running, ...Array.from({ length: 60 }, () => 'unreachable' as const), ABORTED] });
    const { call } = back.ports.client;
    let aborts = 0;
    const abortsOnlyWhenBack = (ports: RunPorts): void => {
      ports.client.call = async (method, path, body) => {
        if (path.endsWith('/abort') && ports.clock.monotonicMs() < 60_000) throw new Error('connect ETIMEDOUT');
        if (path.endsWith('/abort')) aborts += 1;
        return call(method, path, body);
      };
    };
    abortsOnlyWhenBack(back.ports);
    const controller = onFirstSleep(back.ports);
    expect(await drive(back.ports, { abort: controller.signal })).toMatchObject({ document: { status: 'ABORTED' } });
    expect(aborts).toBe(1);
    expect(back.printed.join('\n')).toMatch(
      /The abort is NOT taken yet; asking on\. .* by its TTL by 1970-01-01T00:01:30/,
    );

    const gone = rig({ documents: [running, 'unreachable'], abort: { status: 403, body: {} } });
    const again = onFirstSleep(gone.ports);
    expect(await drive(gone.ports, { abort: again.signal })).toMatchObject({
      kind: 'lost',
      reason: expect.stringContaining('The abort was NOT taken'),
    });
    expect(gone.ports.clock.monotonicMs()).toBeGreaterThan(90_000);
    expect(gone.ports.clock.monotonicMs()).toBeLessThan(100_000);
  });

  test('nothing is started while the user is being asked something', async () => {
    const { ports, posted } = rig({ documents: [] });
    const controller = new AbortController();
    const answered = async (): Promise<void> => {
      expect(posted).toEqual([]);
      controller.abort();
    };
    expect(await drive(ports, { abort: controller.signal, answered })).toEqual({ kind: 'not started' });
    expect(posted).toEqual([]);
  });

  test('who leaves during the dry run does not wait for it, and gets a document', async () => {
    const { ports, posted, written } = rig({ documents: [] });
    const { call } = ports.client;
    const controller = new AbortController();
    ports.client.call = (method, path, body) => {
      if (!path.endsWith('dryRun=true')) return call(method, path, body);
      controller.abort();
      return new Promise(() => undefined);
    };
    const wishes = { abort: controller.signal, leave: controller.signal };
    expect(await drive(ports, wishes)).toEqual({ kind: 'not started' });
    expect(posted).toEqual([]);
    expect(written).toEqual([{ experimentId: 'exp_1', status: 'NOT_STARTED' }]);
  });

  test('who leaves is told nothing of an end that he did not wait for', async () => {
    const { ports, written } = rig({ documents: [RUNNING] });
    const controller = onFirstSleep(ports);
    expect(await drive(ports, { leave: controller.signal })).toEqual({ kind: 'left' });
    expect(written).toEqual([expect.objectContaining({ status: 'UNKNOWN' })]);
  });

  test('without watching it is back when the fault is in place, and not before', async () => {
    const accepted = { ...RUNNING, status: 'ACCEPTED' };
    const { ports, printed } = rig({ documents: [accepted, accepted, RUNNING] });
    expect(await drive(ports, {}, 'in place')).toMatchObject({ kind: 'in place', document: { status: 'RUNNING' } });
    expect(ports.clock.monotonicMs()).toBeGreaterThan(0);
    expect(printed.join('\n')).toContain('holdfast watch exp_1');
    const over = rig({ documents: [accepted, ABORTED] });
    expect(await drive(over.ports, {}, 'in place')).toMatchObject({ kind: 'ended', document: { status: 'ABORTED' } });
  });

  test('a start without an answer may have begun: it is followed to its end', async () => {
    const { ports } = rig({ start: new Error('socket hang up'), documents: ['unknown', RUNNING, COMPLETED] });
    expect(await drive(ports)).toMatchObject({ kind: 'ended' });
  });

  test('a start that failed in the API may have begun: its problem is shown once and it is followed to its end', async () => {
    for (const status of [500, 502, 504]) {
      const start = { status, body: { message: 'Endpoint request timed out' } };
      const { ports, printed } = rig({ start, documents: ['unknown', RUNNING, COMPLETED] });
      expect(await drive(ports)).toMatchObject({ kind: 'ended' });
      expect(printed.filter((line) => line.includes('Endpoint request timed out'))).toHaveLength(1);
    }
  });

  test('a start that failed and is unknown to the API until it has been silent for long is lost, said as what it is', async () => {
    const { ports, printed, written } = rig({ start: { status: 504, body: {} }, documents: ['unknown'] });
    expect(await drive(ports)).toMatchObject({ kind: 'lost' });
    expect(printed.join('\n')).toContain('not known to the API');
    expect(ports.clock.monotonicMs()).toBeGreaterThan(30_000);
    expect(written).toEqual([expect.objectContaining({ status: 'UNKNOWN' })]);
  });

  test('an API that is away for a while is asked again; one that stays away is reported as an unknown end', async () => {
    const back = rig({ documents: [RUNNING, 'unreachable', 'unreachable', COMPLETED] });
    expect(await drive(back.ports)).toMatchObject({ kind: 'ended' });
    const gone = rig({ documents: [RUNNING, 'unreachable'] });
    expect(await drive(gone.ports)).toMatchObject({ kind: 'lost' });
    expect(gone.printed.join('\n')).toContain('its end is unknown');
  });

  test('a document that cannot be read is no sign of life: it is said once, and not asked for without end', async () => {
    const { ports, printed } = rig({ documents: [RUNNING, { ...RUNNING, budgets: 'none' }] });
    expect(await drive(ports)).toMatchObject({ kind: 'lost' });
    expect(printed.filter((line) => line.includes('could not be asked'))).toHaveLength(1);
  });
});

/** Aborted when the first look is over. */
function onFirstSleep({ clock }: RunPorts): AbortController {
  const controller = new AbortController();
  const sleep = clock.sleep;
  clock.sleep = (milliseconds) => {
    controller.abort();
    return sleep(milliseconds);
  };
  return controller;
}
