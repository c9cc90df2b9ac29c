import { describe, expect, it } from 'vitest';
import { partitions } from '../partitions.ts';

describe('the second line: an execution that is stopped, and an alarm', () => {
  const tests = partitions();

  it('lifts and rolls back when somebody stops the execution, although its guard would go on', async () => {
    const { observer } = await tests.inject('execution_stopped');
    const stoppedMs = Date.now();
    await tests.system.administrator.stopExecution('execution_stopped');
    expect((await observer.waitFor(true, stoppedMs, 10_000)) - stoppedMs).toBeLessThan(3_000);
    expect((await tests.system.waitUntilOver('execution_stopped')).status).toBe('ABORTED');
  });

  it('rolls back when a configured alarm fires, although the event is delivered twice', async () => {
    await tests.system.waitUntilSteady();
    const { observer } = await tests.inject('alarmed');
    tests.undo.push(() => tests.system.control('POST', '/alarms', { name: 'checkout-availability', state: 'OK' }));
    tests.undo.push(() => tests.system.control('POST', '/events/twice', { twice: false }));
    await tests.system.control('POST', '/events/twice', { twice: true });
    const firedMs = Date.now();
    await tests.system.control('POST', '/alarms', { name: 'checkout-availability', state: 'ALARM' });
    expect((await observer.waitFor(true, firedMs, 10_000)) - firedMs).toBeLessThan(3_000);
    expect((await tests.system.waitUntilOver('alarmed')).status).toBe('ABORTED');
  });
});
