import { GetCalendarStateCommand, SSMClient } from '@aws-sdk/client-ssm';
import { mockClient } from 'aws-sdk-client-mock';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';
import { readChangeCalendar } from '../../../functions/aws/change-calendar.ts';

const ssm = mockClient(SSMClient);
afterAll(() => ssm.restore());
beforeEach(() => void ssm.reset());
const read = () => readChangeCalendar(new SSMClient({ region: 'eu-west-1' }), 'production-changes');

describe('a change calendar', () => {
  it('is asked for by its name, and says when it will change', async () => {
    ssm
      .on(GetCalendarStateCommand, { CalendarNames: ['production-changes'] })
      .resolves({ State: 'OPEN', NextTransitionTime: '2026-06-02T09:00:00Z' });
    expect(await read()).toEqual({ state: 'OPEN', changesAt: '2026-06-02T09:00:00Z' });
  });

  it('is not open when SSM says nothing of it, and unknown when it cannot be asked', async () => {
    ssm.on(GetCalendarStateCommand).resolves({});
    expect(await read()).toEqual({ state: 'UNKNOWN' });
    ssm.on(GetCalendarStateCommand).rejects(new Error('AccessDenied'));
    await expect(read()).rejects.toThrow('AccessDenied');
  });
});
