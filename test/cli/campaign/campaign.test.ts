import { describe, expect, test } from 'vitest';
import { type CampaignOptions, runCampaign } from '../../../cli/campaign/campaign.ts';
import type { CampaignDocument } from '../../../cli/campaign/campaign-document.ts';
import { evaluate } from '../../../cli/campaign/evaluate.ts';
import { renderClaims } from '../../../cli/campaign/render-campaign.ts';
import { readSide } from '../../../cli/compare/read-side.ts';
import { EXIT } from '../../../cli/exit-codes.ts';
import { plainPaint } from '../../../cli/render.ts';
import type { Screen } from '../../../cli/render-terminal.ts';
import type { Clock } from '../../../functions/domain/clock.ts';
import { runOf } from '../runs/run-fixtures.ts';
import { FakeApi, refusal } from './fake-api.ts';

const PAYLOAD = {
  experimentId: 'failover',
  targetService: 'redis',
  action: 'PROCESS_KILL',
  parameters: { targetNodes: ['node-3'] },
};

interface Rig {
  api: FakeApi;
  abort: AbortController;
  leave: AbortController;
  clock: Clock;
  /** When no question is open. */
  answered: () => Promise<void>;
}

/** Sleeping takes no time, and moves it on. */
function sleeplessClock(): Clock {
  let nowMs = 0;
  return {
    nowEpochMs: () => nowMs,
    monotonicMs: () => nowMs,
    sleep: async (milliseconds) => {
      nowMs += milliseconds;
    },
  };
}

async function campaign(set: (rig: Rig) => void = () => undefined, changes: Partial<CampaignOptions> = {}) {
  const rig: Rig = {
    api: new FakeApi(),
    abort: new AbortController(),
    leave: new AbortController(),
    clock: sleeplessClock(),
    answered: async () => undefined,
  };
  set(rig);
  const { api, abort, leave, clock, answered } = rig;
  const printed: string[] = [];
  const written: CampaignDocument[] = [];
  const screen = {
    paint: plainPaint,
    live: false,
    isTerminal: false,
    print: (lines: readonly string[]) => void printed.push(...lines),
    frame: () => undefined,
    ask: () => undefined,
  } satisfies Screen;
  const options: CampaignOptions = { runs: 3, patienceSeconds: 120, limits: new Map(), ...changes };
  const code = await runCampaign(
    { experimentId: PAYLOAD.experimentId, payload: JSON.stringify(PAYLOAD) },
    options,
    { abort: abort.signal, leave: leave.signal, onAbortTaken: () => undefined, answered },
    { client: api.client, clock, screen, writeDocument: (document) => void written.push(document as CampaignDocument) },
  );
  expect(written).toHaveLength(1);
  return { ...rig, code, text: printed.join('\n'), document: written[0] as CampaignDocument };
}

const ids = ({ api }: { api: FakeApi }) => api.starts.map(({ id }) => id);
const targets = ({ api }: { api: FakeApi }) => api.starts.map(({ body }) => body.parameters.targetNodes);

describe('a campaign', () => {
  test('runs one after the other, each with an id of its own, and claims no more than its runs allow', async () => {
    const end = await campaign(({ api }) => {
      api.results = [5, 4, 6].map((rto) => (id: string) => runOf(id, rto));
    });
    expect(end.code).toBe(EXIT.confirmed);
    expect(ids(end)).toEqual(['failover-1', 'failover-2', 'failover-3']);
    expect(end.api.starts.map(({ body }) => ({ ...body, experimentId: 'failover' }))).toEqual([
      PAYLOAD,
      PAYLOAD,
      PAYLOAD,
    ]);
    expect(end.document).toMatchObject({
      campaign: 'failover',
      runsAsked: 3,
      endedEarly: null,
      outcomes: { CONFIRMED: 3 },
    });
    expect(end.document.measures).toContainEqual({
      ...{ measure: 'rtoSeconds', unit: 's' },
      ...{ n: 3, min: 4, p50: 5, p90: 6, max: 6 },
    });
    expect(end.text).toContain('rtoSeconds P99 ≤ 15 s: not yet claimable with 3 runs, 299 needed; P95: 59; P90: 29');
    expect(end.text).toContain('if the runs are independent of each other and alike');
  });

  test('claims a percentile from the number of runs on that it takes, with the lowest value that may be claimed', async () => {
    const { document, text } = await campaign(
      ({ api }) => {
        api.results = Array.from({ length: 59 }, (_, at) => (id: string) => runOf(id, 4 + at / 100));
      },
      { runs: 59 },
    );
    expect(text).toContain(
      'rtoSeconds P95 ≤ 15 s: may be claimed, 59 of 59 runs within it; the lowest limit that may is 4.58 s',
    );
    expect(text).toContain('rtoSeconds P99 ≤ 15 s: not yet claimable with 59 runs, 299 needed');
    expect(document.claims.map(({ percentile, claimable }) => [percentile, claimable])).toEqual([
      [99, false],
      [95, true],
      [90, true],
    ]);
  });

  test('never shows a limit that is lower than what may be claimed', () => {
    for (const [value, shown] of [
      [4.584, '4.59'],
      [4.58, '4.58'],
      [12.31, '12.4'],
      [5, '5'],
    ] as const) {
      const runs = Array.from({ length: 29 }, (_, at) => runOf(`failover-${at}`, value));
      const lines = renderClaims(evaluate(runs, new Map([['rtoSeconds', 12.345]]), runs.length));
      expect(lines[0]).toBe(
        `rtoSeconds P90 ≤ 12.345 s: may be claimed, 29 of 29 runs within it; the lowest limit that may is ${shown} s`,
      );
    }
  });

  test('uses the limits that it is given, for any measure', async () => {
    const { document, text } = await campaign(undefined, {
      limits: new Map([
        ['rtoSeconds', 4],
        ['failedWrites', 20],
      ]),
    });
    expect(document.claims.map(({ measure, limit }) => `${measure} ${limit}`)).toContain('failedWrites 20');
    expect(text).toContain('rtoSeconds P99 ≤ 4 s: not yet claimable with 3 runs, 3 of them not within it');
  });

  test('can be compared: its document is a set of runs', async () => {
    const { document } = await campaign();
    const readFile = () => JSON.stringify(document);
    const fetchRun = () => Promise.reject(new Error('asked'));
    const runs = await readSide('./campaign.json', { fetchRun, readFile });
    expect(runs.map(({ experimentId }) => experimentId)).toEqual(['failover-1', 'failover-2', 'failover-3']);
  });

  test('goes on after the ids that exist', async () => {
    const end = await campaign(({ api }) => {
      for (const id of ['failover-1', 'failover-2']) api.known.set(id, runOf(id, 9));
    });
    expect(ids(end)).toEqual(['failover-3', 'failover-4', 'failover-5']);
    expect(end.document.measures.find(({ measure }) => measure === 'rtoSeconds')).toMatchObject({ n: 3, max: 4.5 });
  });
});

describe('a run that deviates', () => {
  test('is data: the campaign goes on, and its exit code says it', async () => {
    const end = await campaign(({ api }) => {
      api.results = [(id) => runOf(id, 16, { outcome: 'DEVIATED' })];
    });
    expect(end.code).toBe(EXIT.deviated);
    expect(ids(end)).toHaveLength(3);
    expect(end.document.claims[0]).toMatchObject({ runs: 3, runsWithin: 2 });
  });

  test('or is inconclusive counts as beyond every limit, whatever it measured, and is in no distribution', async () => {
    const end = await campaign(({ api }) => {
      api.results = [(id) => runOf(id, 1, { outcome: 'INCONCLUSIVE' })];
    });
    expect(end.code).toBe(EXIT.inconclusive);
    expect(end.document.claims[0]).toMatchObject({ runs: 3, runsWithin: 2 });
    expect(end.document.measures.find(({ measure }) => measure === 'rtoSeconds')).toMatchObject({ n: 2, min: 4.5 });
  });

  test('outweighs an inconclusive one in the exit code', async () => {
    const { code } = await campaign(({ api }) => {
      api.results = [(id) => runOf(id, 1, { outcome: 'INCONCLUSIVE' }), (id) => runOf(id, 16, { outcome: 'DEVIATED' })];
    });
    expect(code).toBe(EXIT.deviated);
  });

  test.each([
    ['ABORTED', EXIT.aborted],
    ['ROLLBACK_FAILED', EXIT.rollbackFailed],
  ] as const)('or is %s ends the campaign, and what there is is shown', async (status, code) => {
    const end = await campaign(({ api }) => {
      api.results = [
        (id) => runOf(id, 16, { outcome: 'DEVIATED' }),
        (id) => runOf(id, 1, { status, outcome: 'INCONCLUSIVE', reason: 'errors above 0.5 %' }),
      ];
    });
    expect(end.code).toBe(code);
    expect(ids(end)).toEqual(['failover-1', 'failover-2']);
    expect(end.document.endedEarly).toBe(`failover-2 was ${status}: errors above 0.5 %`);
    expect(end.document.outcomes).toEqual({ DEVIATED: 1, [status]: 1 });
    expect(end.document.claims).toEqual([]);
  });

  test.each([
    ['ABORTED', EXIT.aborted],
    ['ROLLBACK_FAILED', EXIT.rollbackFailed],
  ] as const)('or is %s as the last one counts as beyond every limit', async (status, code) => {
    const end = await campaign(({ api }) => {
      api.results = [undefined, undefined, (id: string) => runOf(id, 1, { status, outcome: 'INCONCLUSIVE' })].map(
        (result) => result ?? ((id: string) => runOf(id, 5)),
      );
    });
    expect(end.code).toBe(code);
    expect(end.document).toMatchObject({ endedEarly: null, claims: [{ runs: 3, runsWithin: 2 }, {}, {}] });
  });
});

describe('nothing is claimed', () => {
  test('of a campaign that ended before the number of runs that was chosen, however many went well', async () => {
    const { document, text } = await campaign(
      ({ api, abort }) => {
        api.onCall = (call) => {
          if (call.includes('dryRun') && api.starts.length === 59) abort.abort();
        };
      },
      { runs: 300 },
    );
    expect(document).toMatchObject({ outcomes: { CONFIRMED: 59 }, endedEarly: 'interrupted', claims: [] });
    expect(text).toContain('nothing may be claimed: only 59 of the 300 runs chosen beforehand were made');
    expect(text).not.toContain('may be claimed,');
  });

  test('of runs of which one hit another role: they were not alike', async () => {
    const { document, text } = await campaign(
      ({ api }) => {
        api.results = Array.from({ length: 59 }, (_, at) => (id: string) => {
          const role = at === 0 ? 'master' : 'slave';
          const impacted = [{ name: 'node-3', shard: 'shard-1', role }];
          return runOf(id, 1, { targets: [{ faultId: `${id}.1`, impacted }] });
        });
      },
      { runs: 59 },
    );
    expect(document.claims).toEqual([]);
    expect(text).toContain('nothing may be claimed: the runs were not alike: targets: master of shard-1 or slave of');
  });

  test('of runs whose documents do not say what was asked', async () => {
    const { document, text } = await campaign(({ api }) => {
      api.results = [(id) => runOf(id, 1, { experiment: undefined })];
    });
    expect(document.claims).toEqual([]);
    expect(text).toContain('nothing may be claimed: it is not known what was asked of failover-1');
  });
});

describe('a refusal', () => {
  test('that may pass is tried again, said once, and starts nothing before it has passed', async () => {
    const end = await campaign(({ api }) => {
      const notYet = (number: number) => refusal('steady-state-not-met', `P99 is ${number} ms`);
      api.dryRuns.push(undefined, undefined, notYet(300), notYet(250), refusal('cluster-locked'));
      api.startAnswers.push(undefined, refusal('alarm-firing'));
    });
    expect(end.code).toBe(EXIT.confirmed);
    expect(ids(end)).toEqual(['failover-1', 'failover-2', 'failover-3']);
    expect(end.text.match(/Not yet: The cluster is not in its steady state: P99 is 300 ms/g)).toHaveLength(1);
    expect(end.text).not.toContain('250 ms');
  });

  test('that does not pass in time ends the campaign, and the runs before it are shown', async () => {
    const end = await campaign(
      ({ api }) => {
        api.dryRuns.push(undefined, undefined);
        for (let count = 0; count < 100; count += 1) api.dryRuns.push(refusal('cluster-locked', 'held by exp_9'));
      },
      { patienceSeconds: 20 },
    );
    expect(end.code).toBe(EXIT.refused);
    expect(ids(end)).toEqual(['failover-1']);
    expect(end.document.endedEarly).toMatch(/failover-2: .*held by exp_9 \(for 20 s\)/);
    expect(end.text).toContain('failover: 1 of 3 runs; CONFIRMED 1');
    expect(end.clock.monotonicMs()).toBeLessThan(30_000);
  });

  test('of any other kind ends it at once', async () => {
    const end = await campaign(({ api }) => api.dryRuns.push(refusal('kill-switch-engaged')));
    expect(end.code).toBe(EXIT.refused);
    expect(ids(end)).toEqual([]);
    expect(end.clock.monotonicMs()).toBeLessThan(2_000);
    expect(end.document).toMatchObject({ runs: [], endedEarly: expect.stringContaining('kill switch') });
  });

  test('by an API that is away for a while costs no run', async () => {
    const end = await campaign(({ api }) => api.dryRuns.push(undefined, undefined, 'throw', 'throw'));
    expect(end.code).toBe(EXIT.confirmed);
    expect(ids(end)).toHaveLength(3);
  });

  test('of a start that nobody knows of afterwards is tried again with the same id', async () => {
    const end = await campaign(({ api }) => api.startAnswers.push(refusal('control-plane-unknown')));
    expect(end.code).toBe(EXIT.confirmed);
    expect(ids(end)).toEqual(['failover-1', 'failover-2', 'failover-3']);
  });

  test('of a start that had begun all the same is followed to its end, not started twice', async () => {
    const end = await campaign(({ api }) => {
      api.startAnswers.push(refusal('control-plane-unknown'));
      // Found only by the second try, which the lock of its own run keeps from a dry run.
      api.onCall = (call) => {
        if (!call.includes('dryRun') || api.startAnswers.length > 0 || api.known.size > 0) return;
        api.known.set('failover-1', runOf('failover-1', 7));
        api.dryRuns.push(refusal('cluster-locked'));
      };
    });
    expect(ids(end)).toEqual(['failover-2', 'failover-3']);
    expect(end.document.runs.map(({ experimentId }) => experimentId)).toEqual([
      'failover-1',
      'failover-2',
      'failover-3',
    ]);
    expect(end.document.measures.find(({ measure }) => measure === 'rtoSeconds')).toMatchObject({ n: 3, max: 7 });
  });
});

describe('a run of which the API says nothing any more', () => {
  const running = (id: string) => runOf(id, 5, { status: 'RUNNING', outcome: undefined });
  /** The API is away from the first looks at the second run on, until it is `isBack`. */
  const away = ({ api }: Rig, isBack: (call: string) => boolean) => {
    let looks = 0;
    api.results = [(id) => runOf(id, 5), running];
    api.onCall = (call) => {
      if (api.starts.length === 2 && call.includes('failover-2')) looks += 1;
      if (looks > 4 && !isBack(call)) throw new Error('connect ETIMEDOUT');
    };
  };

  test('is in the document as one whose end is unknown, and beyond every limit', async () => {
    const end = await campaign((rig) => away(rig, () => false), { patienceSeconds: 20, runs: 2 });
    expect(end.code).toBe(EXIT.inconclusive);
    expect(end.document.outcomes).toEqual({ CONFIRMED: 1, UNKNOWN: 1 });
    expect(end.document.claims[0]).toMatchObject({ runs: 2, runsWithin: 1 });
  });

  test('ends the campaign', async () => {
    const end = await campaign((rig) => away(rig, () => false));
    expect(ids(end)).toEqual(['failover-1', 'failover-2']);
    expect(end.document.endedEarly).toMatch(/^failover-2: .*its end is unknown/);
    expect(end.clock.monotonicMs()).toBeLessThan(60_000);
  });

  test('is followed on when the API is back', async () => {
    const end = await campaign((rig) => {
      // When it is asked whether there is such a run, once the looks at it are over.
      let isBack = false;
      away(rig, (call) => {
        isBack ||= call.endsWith('/status') && rig.clock.monotonicMs() > 30_000;
        return isBack;
      });
      const { sleep } = rig.clock;
      rig.clock.sleep = async (milliseconds) => {
        await sleep(milliseconds);
        if (rig.clock.monotonicMs() > 35_000 && rig.api.starts.length === 2) {
          rig.api.known.set('failover-2', runOf('failover-2', 5));
        }
      };
    });
    expect(end.code).toBe(EXIT.confirmed);
    expect(ids(end)).toEqual(['failover-1', 'failover-2', 'failover-3']);
    expect(end.document.outcomes).toEqual({ CONFIRMED: 3 });
  });

  test('is aborted as soon as the API is back, however long that takes, when the user has asked for it', async () => {
    const end = await campaign((rig) => {
      away(rig, () => rig.clock.monotonicMs() > 120_000);
      const { sleep } = rig.clock;
      rig.clock.sleep = (milliseconds) => {
        if (rig.clock.monotonicMs() > 20_000) rig.abort.abort();
        return sleep(milliseconds);
      };
    });
    expect(end.api.aborted).toEqual(['failover-2']);
    expect(end.code).toBe(EXIT.aborted);
    expect(end.text).toContain('The abort is NOT taken yet; asking on.');
  });

  test('although it had begun without an answer is aborted when the user asks for it', async () => {
    const end = await campaign((rig) => {
      const { api, clock, abort } = rig;
      api.startAnswers.push(refusal('control-plane-unknown'));
      const { sleep } = clock;
      clock.sleep = async (milliseconds) => {
        await sleep(milliseconds);
        // It was given up as unknown, and is there before the next try.
        if (clock.monotonicMs() > 31_500 && !api.known.has('failover-1')) {
          api.known.set('failover-1', running('failover-1'));
          abort.abort();
        }
      };
    });
    expect(end.api.aborted).toEqual(['failover-1']);
    expect(end.code).toBe(EXIT.aborted);
    expect(end.document.outcomes).toEqual({ ABORTED: 1 });
  });

  test('is not taken for ours when only its dry run failed: it is neither followed nor aborted', async () => {
    const end = await campaign(({ api, abort, clock }) => {
      api.dryRuns.push('throw');
      api.onCall = (call) => {
        // Who follows it sees its end.
        if (clock.monotonicMs() > 60_000) api.known.set('failover-1', runOf('failover-1', 5));
        if (!call.includes('dryRun')) return;
        if (api.known.has('failover-1')) abort.abort();
        api.known.set('failover-1', running('failover-1'));
      };
    });
    expect(end.api.aborted).toEqual([]);
    expect(end.document.runs).toEqual([]);
  });
});

describe('an interrupt', () => {
  test('that asks between two runs starts nothing before it is answered', async () => {
    const end = await campaign((rig) => {
      rig.answered = async () => {
        if (rig.api.starts.length === 1) rig.abort.abort();
      };
    });
    expect(ids(end)).toEqual(['failover-1']);
    expect(end.document.endedEarly).toBe('interrupted');
  });

  test('aborts the run that is on, and ends the campaign after its rollback with what there is', async () => {
    const end = await campaign(({ api, abort }) => {
      api.results = [
        (id) => runOf(id, 5),
        (id) => {
          abort.abort();
          return runOf(id, 5, { status: 'RUNNING', outcome: undefined });
        },
      ];
    });
    expect(end.api.aborted).toEqual(['failover-2']);
    expect(ids(end)).toEqual(['failover-1', 'failover-2']);
    expect(end.code).toBe(EXIT.aborted);
    expect(end.document.outcomes).toEqual({ CONFIRMED: 1, ABORTED: 1 });
  });

  test('while a start is refused ends the campaign at once, and starts nothing more', async () => {
    const end = await campaign(({ api, abort }) => {
      api.dryRuns.push(undefined, undefined);
      for (let count = 0; count < 100; count += 1) api.dryRuns.push(refusal('cluster-locked'));
      api.onCall = () => {
        if (api.dryRuns.length === 98) abort.abort();
      };
    });
    expect(ids(end)).toEqual(['failover-1']);
    expect(end.code).toBe(EXIT.aborted);
    expect(end.document.endedEarly).toBe('interrupted');
    expect(end.api.dryRuns.length).toBeGreaterThan(96);
  });
});

describe('a role that is followed', () => {
  test('names in each run the node that has it now', async () => {
    const end = await campaign(undefined, { followRole: 'master', runs: 4 });
    expect(targets(end)).toEqual([['node-3'], ['node-1'], ['node-2'], ['node-3']]);
    expect(end.text).toContain('node-1 is master now: it takes the place of node-3');
  });

  test('is not followed unless it is asked for', async () => {
    expect(targets(await campaign())).toEqual([['node-3'], ['node-3'], ['node-3']]);
  });

  test("takes nobody's place in a file that chooses its nodes by roles: nothing is started", async () => {
    const end = await campaign(
      ({ api }) => {
        const node = (name: string, role: string) => ({ name, instanceId: 'i-1', roles: [{ shard: 's', role }] });
        const [impacted, shardMembers] = [[node('n-3', 'slave')], [node('node-3', 'master'), node('n-3', 'slave')]];
        const facts = { clusters: [], targets: [{ faultId: 'f.1', impacted, shardMembers }] };
        api.dryRuns.push({ status: 200, body: { admitted: true, experiment: { faults: [] }, facts } });
      },
      { followRole: 'master' },
    );
    expect(end.code).toBe(EXIT.refused);
    expect(end.api.starts).toEqual([]);
    expect(end.document.endedEarly).toContain('n-3 is not master, and the file chooses it by a role');
  });

  test('that nobody has is waited for, and ends the campaign when nobody gets it', async () => {
    const end = await campaign(undefined, { followRole: 'leader', patienceSeconds: 10 });
    expect(end.code).toBe(EXIT.refused);
    expect(end.api.starts).toEqual([]);
    expect(end.document.endedEarly).toContain('no node of shard-1 is leader now; its roles: master, slave');
  });
});
