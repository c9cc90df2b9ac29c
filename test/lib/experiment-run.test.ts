import { StateMachine } from 'aws-local-stepfunctions';
import { describe, expect, it } from 'vitest';
import { machine } from './definition.ts';

type JSONValue = Parameters<StateMachine['run']>[0];
type Step = (input: Record<string, JSONValue>) => Promise<JSONValue>;
const injection = {
  injectedAt: '2026-01-01T00:00:00Z',
  endsAt: '2026-01-01T00:01:00Z',
  injectedFaults: ['exp-1.1'],
};
const failure = (name: string) => Object.assign(new Error(`${name} happened`), { name });

/** Runs the synthesized definition on the local interpreter with `steps` in the place of Lambdas. */
async function run(steps: Record<string, Step>, input: Record<string, JSONValue> = { rollbackOnly: false }) {
  const called: string[] = [];
  const inputs: Record<string, Record<string, unknown>> = {};
  const healthy: Record<string, Step> = {
    'Await the announced start': async () => null,
    'Check steady state': async () => ({ 'redis-master': { p99LatencyMs: 5 } }),
    'Resolve targets': async () => ({ faults: [] }),
    'Check targets': async () => null,
    Guard: async () => null,
    'Start probe': async () => ({ StatusCode: 202 }),
    'Inject fault': async () => injection,
    'Roll back': async () => ({ outcome: 'ROLLED_BACK' }),
    'Verify recovery': async () => ({ outcome: 'RECOVERED' }),
    Conclude: async () => ({ status: 'COMPLETED' }),
  };
  const taskResourceLocalHandlers = Object.fromEntries(
    Object.entries({ ...healthy, ...steps }).map(([name, step]) => [
      name,
      async (value: JSONValue): Promise<JSONValue> => {
        // Every step is handed the whole run, an object.
        const stepInput = value as Record<string, JSONValue>;
        called.push(name);
        inputs[name] = stepInput;
        return step(stepInput);
      },
    ]),
  );
  // The interpreter has types of its own for the same language.
  const local = new StateMachine(machine as unknown as ConstructorParameters<typeof StateMachine>[0]);
  const execution = local.run(
    { experimentId: 'exp-1', ...input },
    {
      overrides: {
        taskResourceLocalHandlers,
        waitTimeOverrides: { 'Hold until TTL': 20, 'Wait for the next fault': 5 },
        retryIntervalOverrides: { 'Roll back': 0, Conclude: 0 },
      },
    },
  );
  // So is what it ends with.
  return { called, inputs, output: (await execution.result) as Record<string, unknown> };
}

describe('an execution', () => {
  it('injects, holds, rolls back and concludes, and hands the injection on', async () => {
    const { called, inputs, output } = await run({});
    expect(called.slice(-3)).toEqual(['Roll back', 'Verify recovery', 'Conclude']);
    expect(called).toContain('Inject fault');
    const baselines = { 'redis-master': { p99LatencyMs: 5 } };
    expect(inputs['Roll back']).toMatchObject({ injection, targets: { faults: [] }, baselines });
    expect(inputs['Roll back']).not.toHaveProperty('cause');
    expect(output).toMatchObject({ verdict: { status: 'COMPLETED' } });
  });

  it('injects in batches as long as another fault is due, each knowing the ones before, and holds only then', async () => {
    const nextFaultAt = '2026-01-01T00:00:10Z';
    const seen: unknown[] = [];
    const { called, inputs } = await run({
      'Inject fault': async ({ injection: before }) => {
        seen.push(before);
        const injectedFaults = [...((before as typeof injection | undefined)?.injectedFaults ?? []), `${seen.length}`];
        return { ...injection, injectedFaults, ...(seen.length < 3 ? { nextFaultAt } : {}) };
      },
    });
    const batches = called.filter((name) => name === 'Inject fault' || name === 'Check targets');
    expect(batches).toEqual([
      'Inject fault',
      ...['Check targets', 'Inject fault'],
      ...['Check targets', 'Inject fault'],
    ]);
    expect(seen).toEqual([
      undefined,
      { ...injection, injectedFaults: ['1'], nextFaultAt },
      { ...injection, injectedFaults: ['1', '2'], nextFaultAt },
    ]);
    expect(inputs['Roll back']?.injection).toEqual({ ...injection, injectedFaults: ['1', '2', '3'] });
  });

  it('rolls everything back instead of a later batch when the limits do not hold any more', async () => {
    const { called, inputs } = await run({
      'Inject fault': async () => ({ ...injection, nextFaultAt: '2026-01-01T00:00:10Z' }),
      'Check targets': () => Promise.reject(failure('OutsideLimits')),
    });
    expect(called.filter((name) => name === 'Inject fault')).toHaveLength(1);
    expect(called.slice(-3)).toEqual(['Roll back', 'Verify recovery', 'Conclude']);
    expect(inputs['Roll back']).toMatchObject({ cause: { Error: 'OutsideLimits' } });
  });

  it('rolls everything back when a later fault cannot be injected', async () => {
    let batches = 0;
    const { called, inputs } = await run({
      'Inject fault': async () => {
        batches += 1;
        if (batches === 2) throw failure('InjectionFailed');
        return { ...injection, nextFaultAt: '2026-01-01T00:00:10Z' };
      },
    });
    expect(called.filter((name) => name === 'Inject fault')).toHaveLength(2);
    expect(called.slice(-3)).toEqual(['Roll back', 'Verify recovery', 'Conclude']);
    expect(inputs['Roll back']).toMatchObject({ cause: { Error: 'InjectionFailed' } });
  });

  it('waits for its announced start first, and rolls back what ended while it waited', async () => {
    const announced = { rollbackOnly: false, startsAt: '2026-01-01T00:05:00Z' };
    expect((await run({}, announced)).called.slice(0, 2)).toEqual(['Await the announced start', 'Check steady state']);
    expect((await run({})).called[0]).toBe('Check steady state');
    const ended = { 'Await the announced start': () => Promise.reject(failure('LeaseReleased')) };
    const { called } = await run(ended, announced);
    expect(called).toEqual(['Await the announced start', 'Roll back', 'Verify recovery', 'Conclude']);
  });

  it('injects nothing when the steady state is not met, and still rolls back', async () => {
    const { called, inputs } = await run({ 'Check steady state': () => Promise.reject(failure('SteadyStateNotMet')) });
    expect(called).toEqual(['Check steady state', 'Roll back', 'Verify recovery', 'Conclude']);
    expect(inputs['Roll back']).toMatchObject({ cause: { Error: 'SteadyStateNotMet' } });
  });

  it('rolls back as soon as the guard fails, while the fault is still held', async () => {
    const { called, inputs } = await run({ Guard: () => Promise.reject(failure('GuardrailBreached')) });
    expect(called.slice(-3)).toEqual(['Roll back', 'Verify recovery', 'Conclude']);
    expect(inputs['Roll back']).toMatchObject({ cause: { Error: 'GuardrailBreached' }, targets: { faults: [] } });
  });

  it('rolls back an injection that failed in part like one that succeeded', async () => {
    const { called, inputs } = await run({ 'Inject fault': () => Promise.reject(failure('InjectionFailed')) });
    expect(called).toContain('Roll back');
    expect(inputs['Roll back']).toMatchObject({ cause: { Error: 'InjectionFailed' } });
  });

  it('tries the rollback four times and concludes even when it never succeeds', async () => {
    const { called, inputs } = await run({ 'Roll back': () => Promise.reject(failure('Lambda.Unknown')) });
    expect(called.filter((name) => name === 'Roll back').length).toBe(4);
    expect(called.slice(-2)).toEqual(['Verify recovery', 'Conclude']);
    expect(inputs.Conclude).toMatchObject({ rollbackError: { Error: 'Lambda.Unknown' } });
    expect(inputs.Conclude).not.toHaveProperty('rollback');
  });

  it('concludes when the recovery cannot be verified', async () => {
    const { inputs } = await run({ 'Verify recovery': () => Promise.reject(failure('Lambda.Unknown')) });
    expect(inputs.Conclude).toMatchObject({ recoveryError: { Error: 'Lambda.Unknown' } });
  });

  it.each([{ rollbackOnly: true }, {}, { rollbackOnly: 'false' }])(
    'injects nothing when asked with %o',
    async (input) => {
      const { called } = await run({}, input);
      expect(called).toEqual(['Roll back', 'Verify recovery', 'Conclude']);
    },
  );
});
