import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, it } from 'vitest';
import type { ExperimentDocument } from '../../cli/api-documents.ts';
import { waitFor } from '../../lab/shared/wait-for.ts';
import { EXAMPLE_FILE, EXAMPLE_TOPIC } from '../../lib/alertmanager-configuration.ts';
import { Alerting } from './alerting.ts';
import { CANARY_NODES, partition } from './harness.ts';
import { partitions } from './partitions.ts';
import { stopStore } from './stopped-store.ts';

/** Prometheus → Alertmanager → SNS → the receiver → the lease: alerts that end a fault which the guard would let live. */
describe('an alert', () => {
  const tests = partitions();
  let alerting: Alerting;
  beforeAll(() => {
    alerting = new Alerting(tests.system);
  });

  const aborts = ({ timeline }: ExperimentDocument) => timeline.filter(({ type }) => type === 'ABORT_REQUESTED');

  it('of AMP lifts the fault, once, although SNS delivers it twice; one of an unknown cluster does nothing', async () => {
    await tests.system.waitUntilSteady();
    tests.undo.push(() => tests.system.control('POST', '/sns/twice', { twice: false }));
    await tests.system.control('POST', '/sns/twice', { twice: true });
    const { observer } = await tests.inject('alerted_by_amp');

    await alerting.add('alertname=Foreign', 'cluster=nobody', 'severity=critical');
    await waitFor('the unknown cluster is named', 20, () =>
      alerting.said().some((line) => line.includes('no cluster is called nobody')) ? undefined : 'it is not',
    );
    expect((await tests.system.experiment('alerted_by_amp')).status).toBe('RUNNING');

    const stoppedMs = Date.now();
    tests.undo.push(() => tests.system.waitUntilQuiet());
    const goOn = await stopStore(tests.system);
    tests.undo.push(goOn);
    const lifted = await observer.waitFor(true, stoppedMs, 25_000);
    await goOn();
    console.log(`alert of AMP: lifted ${((lifted - stoppedMs) / 1000).toFixed(1)} s after a store stopped`);
    const over = await tests.system.waitUntilOver('alerted_by_amp');
    expect(over.status).toBe('ABORTED');
    expect(aborts(over)).toMatchObject([
      {
        actor: { function: 'on-alert' },
        details: {
          reason: 'ALARM',
          detail: expect.stringMatching(/^HoldfastStoresDownPct \(CRITICAL\): storesDownPct is 16.67 %/),
        },
      },
    ]);
  });

  it('of an Alertmanager of the team’s own lifts the fault, as documented; that it is over does nothing', async () => {
    const example = readFileSync(EXAMPLE_FILE, 'utf8').replace(EXAMPLE_TOPIC.topicArn, alerting.topicArn());
    tests.undo.push(await alerting.startOwn(example));
    await tests.system.waitUntilSteady();
    const before = (await alerting.messages()).length;

    const master = await tests.system.masterOf(CANARY_NODES);
    const observer = tests.system.observe(master, CANARY_NODES.find((other) => other !== master) ?? '');
    tests.observers.push(observer);
    const startedMs = Date.now();
    const answer = await tests.system.post({
      ...partition('alerted_by_team', master, CANARY_NODES),
      safetyThreshold: { maxAlertSeverity: 'INFO', automaticRollbackOnAlert: true },
    });
    expect(answer.body).toMatchObject({ status: 'INJECTED' });
    const goneMs = await observer.waitFor(false, startedMs, 20_000);
    const lifted = await observer.waitFor(true, goneMs, 20_000);
    console.log(`alert of the team: lifted ${((lifted - goneMs) / 1000).toFixed(1)} s after the fault`);
    const over = await tests.system.waitUntilOver('alerted_by_team');
    expect(over.status).toBe('ABORTED');
    expect(aborts(over)).toMatchObject([
      {
        details: {
          reason: 'ALARM',
          detail: expect.stringMatching(/^ShardFailing \(WARNING\): shard-1: [\d.]+ errors\/s$/),
        },
      },
    ]);

    await waitFor('its end is told', 30, async () => {
      const since = (await alerting.messages()).slice(before).map(({ message }) => JSON.parse(message));
      return since.some(({ total, resolved }) => total === 0 && resolved > 0) ? undefined : JSON.stringify(since);
    });
    expect((await tests.system.experiment('alerted_by_team')).timeline).toEqual(over.timeline);
  });
});
