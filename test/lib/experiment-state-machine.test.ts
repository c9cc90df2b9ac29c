import aslValidator from 'asl-validator';
import { describe, expect, it } from 'vitest';
import { LEAD_SECONDS, TTL_SECONDS } from '../../functions/domain/timing.ts';
import { allStates, definitionText, type Machine, machine, type State, stateNamed, successors } from './definition.ts';
import { functions, logicalId } from './synthesized.ts';

const BEFORE_ROLL_BACK = [
  'Await the announced start',
  'Check steady state',
  'Resolve targets',
  'Hold the fault while watched',
];

/** No fault lives longer, and no later fault is injected after it. */
const LONGEST_TTL_SECONDS = TTL_SECONDS.max;

/**
 * Longest time a branch can take: every task once, then the TTL, and at its very end the last batch of *Inject fault*
 * once more. All batches between lie within the TTL.
 */
function worstBranchSeconds(states: Record<string, State>): number {
  const tasks = Object.values(states).filter(({ Type }) => Type === 'Task');
  const once = tasks.reduce((sum, task) => sum + (task.TimeoutSeconds ?? Number.NaN), 0);
  return once + LONGEST_TTL_SECONDS + (states['Inject fault']?.TimeoutSeconds ?? 0);
}

/** Longest time a state can take with every retry timing out, seconds. */
function worstSeconds(state: State): number {
  const own = Math.max(
    state.TimeoutSeconds ?? 0,
    ...(state.Branches ?? []).map(({ States }) =>
      States.Guard ? worstSeconds(States.Guard) : worstBranchSeconds(States),
    ),
  );
  const waits = (state.Retry ?? []).flatMap((retry) =>
    Array.from({ length: retry.MaxAttempts }, (_, attempt) =>
      Math.min(retry.IntervalSeconds * retry.BackoffRate ** attempt, retry.MaxDelaySeconds ?? Number.POSITIVE_INFINITY),
    ),
  );
  return own * (1 + waits.length) + waits.reduce((sum, wait) => sum + wait, 0);
}

describe('state machine', () => {
  it('is valid in the language that Step Functions and the lab both speak', () => {
    expect(aslValidator(JSON.parse(definitionText))).toMatchObject({ isValid: true });
    expect(definitionText).not.toMatch(/\$\$|"Assign"|JSONata|"ItemProcessor"|HeartbeatSeconds/);
  });

  it('reads like its sentence', () => {
    const order = (of: Machine, choose: (state: State) => string | undefined) => {
      const names = [];
      for (let name: string | undefined = of.StartAt; name !== undefined; name = choose(stateNamed(name)))
        names.push(name);
      return names;
    };
    const main = order(machine, (state) => state.Choices?.[0]?.Next ?? state.Next);
    expect(main).toEqual([
      'Roll back only?',
      'Announced ahead?',
      ...BEFORE_ROLL_BACK,
      'Roll back',
      'Verify recovery',
      'Conclude',
    ]);
    const branches = stateNamed('Hold the fault while watched').Branches ?? [];
    expect(branches.map((branch) => order(branch, (state) => state.Default ?? state.Next))).toEqual([
      ['Guard'],
      ['Start probe', 'Inject fault', 'More faults?', 'Hold until TTL'],
    ]);
  });

  it('takes nothing of its branches but the injection: two whole runs could be more than a state may hold', () => {
    expect(stateNamed('Guard')).toMatchObject({ ResultPath: null, OutputPath: null });
    expect(stateNamed('Hold until TTL')).toMatchObject({ OutputPath: '$.injection' });
  });

  it('goes to the rollback from every error of every step before it, without a second try', () => {
    for (const name of BEFORE_ROLL_BACK) {
      const state = stateNamed(name);
      expect(state.Catch, name).toEqual([{ ErrorEquals: ['States.ALL'], ResultPath: '$.cause', Next: 'Roll back' }]);
      expect(state.Retry, name).toBeUndefined();
    }
    for (const name of ['Guard', 'Start probe', 'Inject fault']) {
      expect(stateNamed(name).Retry, name).toBeUndefined();
      expect(stateNamed(name).Catch, name).toBeUndefined();
    }
  });

  it('has no way to its end that avoids the rollback', () => {
    const reached = new Set<string>();
    const walk = (name: string) => {
      if (name === 'Roll back' || reached.has(name)) return;
      reached.add(name);
      for (const next of successors(stateNamed(name))) walk(next);
    };
    walk(machine.StartAt);
    expect([...reached].sort()).toEqual(['Announced ahead?', 'Roll back only?', ...BEFORE_ROLL_BACK].sort());
    expect(Object.entries(machine.States).flatMap(([name, state]) => (state.End ? [name] : []))).toEqual(['Conclude']);
  });

  it('tries the rollback again on every error, and goes on to verify and conclude when it fails for good', () => {
    const rollBack = stateNamed('Roll back');
    expect(rollBack.Retry?.[0]).toMatchObject({ ErrorEquals: ['States.ALL'], MaxAttempts: 3, IntervalSeconds: 1 });
    expect(rollBack.Catch).toEqual([
      { ErrorEquals: ['States.ALL'], ResultPath: '$.rollbackError', Next: 'Verify recovery' },
    ]);
    expect(stateNamed('Verify recovery').Catch?.[0]).toMatchObject({ ErrorEquals: ['States.ALL'], Next: 'Conclude' });
    expect(stateNamed('Conclude').Retry?.[0]?.MaxAttempts).toBeGreaterThanOrEqual(5);
  });

  it('waits for an announced start only where one was announced ahead', () => {
    expect(stateNamed('Announced ahead?')).toMatchObject({
      Choices: [{ Variable: '$.startsAt', IsPresent: true, Next: 'Await the announced start' }],
      Default: 'Check steady state',
    });
    expect(stateNamed('Await the announced start')).toMatchObject({ Next: 'Check steady state', ResultPath: null });
    expect(stateNamed('Await the announced start').TimeoutSeconds).toBeGreaterThan(LEAD_SECONDS.max);
  });

  it('comes back to the injection until no fault is left, and then holds to the common end', () => {
    const more = stateNamed('More faults?');
    expect(stateNamed('Inject fault').Next).toBe('More faults?');
    expect(more.Choices).toEqual([
      { Variable: '$.injection.nextFaultAt', IsPresent: true, Next: 'Wait for the next fault' },
    ]);
    expect(more.Default).toBe('Hold until TTL');
    expect(stateNamed('Wait for the next fault')).toMatchObject({
      Type: 'Wait',
      TimestampPath: '$.injection.nextFaultAt',
      Next: 'Check targets',
    });
    expect(stateNamed('Hold until TTL')).toMatchObject({ TimestampPath: '$.injection.endsAt', End: true });
  });

  it('gives the guard the time for the longest fault and the longest injection', () => {
    const guardSeconds = stateNamed('Guard').TimeoutSeconds ?? 0;
    expect(guardSeconds).toBeGreaterThan(LONGEST_TTL_SECONDS + (stateNamed('Inject fault').TimeoutSeconds ?? 0));
    // A Lambda lives 15 minutes.
    expect(guardSeconds).toBeLessThanOrEqual(900);
  });

  it('bounds every task, a little above the time limit of its Lambda', () => {
    const tasks = allStates().filter(([, state]) => state.Type === 'Task');
    expect(tasks.length).toBe(10);
    for (const [name, task] of tasks.filter(([taskName]) => taskName !== 'Start probe')) {
      const lambda = functions.find((candidate) => task.Resource?.endsWith(`:${logicalId(candidate)}`));
      expect(task.TimeoutSeconds, name).toBe((lambda?.timeLimit.toSeconds() ?? Number.NaN) + 5);
    }
    expect(stateNamed('Start probe').TimeoutSeconds).toBe(10);
  });

  it('outlasts all of its states with all of their retries', () => {
    const worst = Object.values(machine.States).reduce((sum, state) => sum + worstSeconds(state), 0);
    expect(worst).toBeGreaterThan(2000);
    expect(machine.TimeoutSeconds).toBeGreaterThan(worst);
  });

  it('hands every step the whole run and starts the probe without waiting for it', () => {
    for (const [name, state] of allStates()) {
      if (state.Type === 'Task' && name !== 'Start probe') expect(state.Parameters, name).toBeUndefined();
    }
    expect(stateNamed('Start probe')).toMatchObject({
      Parameters: { InvocationType: 'Event', 'Payload.$': '$' },
      ResultPath: null,
    });
  });
});
