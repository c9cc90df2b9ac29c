import { CloudWatchClient, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { GUARD_HEARTBEAT } from '../../../functions/domain/names.ts';
import { HEARTBEAT_EVERY_SECONDS, HEARTBEAT_PERIOD_SECONDS } from '../../../functions/domain/timing.ts';
import { guardHeartbeat } from '../../../functions/guard/heartbeat.ts';
import { SimulatedClock } from '../domain/simulated-clock.ts';

const cloudWatch = mockClient(CloudWatchClient);
afterAll(() => cloudWatch.restore());
beforeEach(() => {
  cloudWatch.reset();
  cloudWatch.on(PutMetricDataCommand).resolves({});
});
const puts = () => cloudWatch.commandCalls(PutMetricDataCommand).map((call) => call.args[0].input);

describe('the guard heartbeat', () => {
  it('is kept by the second, one for each cluster of this stack', async () => {
    await guardHeartbeat(new CloudWatchClient({ region: 'r' }), new SimulatedClock(), 'X')(['a', 'b']);
    const datum = { MetricName: GUARD_HEARTBEAT.metricName, Value: 1, Unit: 'Count', StorageResolution: 1 };
    expect(puts()).toEqual([
      {
        Namespace: GUARD_HEARTBEAT.namespace,
        MetricData: ['a', 'b'].map((Value) => ({
          ...datum,
          Dimensions: [
            { Name: 'stack', Value: 'X' },
            { Name: 'cluster', Value },
          ],
        })),
      },
    ]);
  });

  it('speaks at its interval however often it is asked, so twice in each period of its alarm', async () => {
    const clock = new SimulatedClock();
    const heartbeat = guardHeartbeat(new CloudWatchClient({ region: 'r' }), clock, 'X');
    for (let second = 0; second < 4 * HEARTBEAT_EVERY_SECONDS; second++) {
      await heartbeat(['a']);
      clock.advance(1000);
    }
    expect(puts()).toHaveLength(4);
    expect(HEARTBEAT_EVERY_SECONDS * 2).toBeLessThanOrEqual(HEARTBEAT_PERIOD_SECONDS);
  });

  it('tells its failure, and says it again at the next evaluation', async () => {
    const clock = new SimulatedClock();
    const heartbeat = guardHeartbeat(new CloudWatchClient({ region: 'r' }), clock, 'X');
    cloudWatch.on(PutMetricDataCommand).rejectsOnce(new Error('away')).resolves({});
    await expect(heartbeat(['a'])).rejects.toThrow('away');
    clock.advance(1000);
    await heartbeat(['a']);
    expect(puts()).toHaveLength(2);
  });
});
