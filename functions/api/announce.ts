import type { Topic } from '../aws/topics.ts';
import type { AdmissionFacts } from '../domain/admission.ts';
import { mustBeAnnounced } from '../domain/announcement.ts';
import type { Announcement } from '../domain/audit-entry.ts';
import type { Clock } from '../domain/clock.ts';
import type { Caller, Experiment } from '../domain/experiment.ts';
import { announcementOf, withdrawalOf } from '../domain/notice.ts';
import type { Notifications } from '../domain/notifications.ts';
import type { Deadline } from '../domain/with-deadline.ts';
import { log } from '../runtime/log.ts';

/** How a start is announced. */
export interface Announcer extends Topic {
  announce: Notifications['announce'];
}

/**
 * Tells people of a start before anything is done.
 * @returns undefined where nobody has to be told
 * @throws Error when nobody can know that somebody was: the topic did not take it in time, or has no subscriber
 */
export async function announceStart(
  experiment: Experiment,
  { clusters }: Pick<AdmissionFacts, 'clusters'>,
  caller: Caller,
  { announcer, clock }: { announcer: Announcer; clock: Clock },
  claimed: Deadline,
): Promise<Announcement | undefined> {
  const { announce } = announcer;
  if (!announce || !mustBeAnnounced(clusters, announce)) return undefined;
  const subscribers = await claimed.within(() => announcer.countSubscribers());
  // SNS takes what it can give to nobody. `!(…)`: a number that is none is nobody.
  if (!(subscribers > 0)) throw new Error('the topic has no confirmed subscription');
  const startsAt = new Date(clock.nowEpochMs() + announce.leadSeconds * 1000).toISOString();
  const notice = announcementOf(experiment, caller.arn, startsAt, announce.leadSeconds);
  try {
    return { ...(await claimed.within(() => announcer.publish(notice))), startsAt };
  } catch (error) {
    // A message whose answer is lost may have been sent.
    await withdraw(experiment, announcer, claimed);
    throw error;
  }
}

/** Tells the same people that it does not start; never rejects: the start has failed already. */
export async function withdraw(experiment: Experiment, announcer: Announcer, claimed: Deadline): Promise<void> {
  const { experimentId } = experiment;
  await claimed
    .within(() => announcer.publish(withdrawalOf(experiment)))
    .catch((failure) => log.error('an announcement is not withdrawn', { experimentId, failure: String(failure) }));
}
