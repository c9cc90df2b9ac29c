import { beforeAll, describe, expect, it } from 'vitest';
import { RULE_EVALUATION_SECONDS } from '../../../functions/domain/timing.ts';
import { Alerting } from '../alerting.ts';
import { partitions } from '../partitions.ts';
import { stopStore } from '../stopped-store.ts';

/** After the evaluation: what the exporter, the Alertmanager's wait, SNS, the receiver and the host's poll take. */
const REST_SECONDS = 10;

describe('an alert of AMP, with rules that are evaluated as rarely as AMP does', () => {
  const tests = partitions();
  let alerting: Alerting;
  beforeAll(() => {
    alerting = new Alerting(tests.system);
  });

  it('lifts the fault within the interval and a few seconds', async () => {
    tests.undo.push(() => alerting.deploy(5));
    await alerting.deploy();
    await tests.system.waitUntilSteady();
    const { observer } = await tests.inject('alerted_rarely');
    const stoppedMs = Date.now();
    tests.undo.push(() => tests.system.waitUntilQuiet());
    const goOn = await stopStore(tests.system);
    tests.undo.push(goOn);
    const boundMs = (RULE_EVALUATION_SECONDS + REST_SECONDS) * 1000;
    const lifted = await observer.waitFor(true, stoppedMs, boundMs);
    await goOn();
    console.log(`lifted ${((lifted - stoppedMs) / 1000).toFixed(1)} s after a store stopped`);
    const over = await tests.system.waitUntilOver('alerted_rarely');
    expect(over.timeline.find(({ type }) => type === 'ABORT_REQUESTED')?.actor).toEqual({ function: 'on-alert' });
  });
});
