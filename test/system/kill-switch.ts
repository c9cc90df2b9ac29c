import { type ApiAnswer, KILL_SWITCH_PATH } from '../../cli/api-client.ts';
import { waitFor } from '../../lab/shared/wait-for.ts';
import type { SystemUnderTest } from './harness.ts';

/** The kill switch as a user of the API has it. */
export function killSwitchOf(system: () => SystemUnderTest) {
  const call = (
    method: 'GET' | 'POST' | 'DELETE',
    query: Record<string, string>,
    body?: object,
  ): Promise<ApiAnswer> => {
    const text = Object.entries(query).map(([name, value]) => `${name}=${encodeURIComponent(value)}`);
    const path = text.length === 0 ? KILL_SWITCH_PATH : `${KILL_SWITCH_PATH}?${text.join('&')}`;
    return system().api.call(method, path, body && JSON.stringify(body));
  };
  const reArm = (query: Record<string, string> = {}) => call('DELETE', { reason: 'the test is over', ...query });
  return {
    engage: (reason: string, query: Record<string, string> = {}) => call('POST', query, { reason }),
    status: () => call('GET', {}),
    reArm,
    /** As soon as nothing runs any more. */
    async reArmWhenOver(query: Record<string, string> = {}): Promise<void> {
      await waitFor('the kill switch can be re-armed', 60, async () => {
        const answer = await reArm(query);
        return answer.status === 200 ? undefined : JSON.stringify(answer.body);
      });
    },
  };
}

/** What did not answer: nothing of these, from now on, until it is called with nothing. */
export function outages(system: SystemUnderTest, now: { service: string; resource?: string }[]): Promise<unknown> {
  return system.control('POST', '/outages', { outages: now });
}

export function stepsOf({ body }: ApiAnswer): Record<string, string> {
  const { steps } = body as { steps: { step: string; outcome: string }[] };
  return Object.fromEntries(steps.map(({ step, outcome }) => [step, outcome]));
}
