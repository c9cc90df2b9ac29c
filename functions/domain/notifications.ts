import * as z from 'zod';
import { LEAD_SECONDS } from './timing.ts';

/** Each has a topic of its own, so that people choose what may wake them. */
export const NOTICE_SEVERITIES = ['INFO', 'WARNING', 'CRITICAL'] as const;
export type NoticeSeverity = (typeof NOTICE_SEVERITIES)[number];

/** On which an announcement is published. */
export const ANNOUNCEMENT_SEVERITY = 'INFO' satisfies NoticeSeverity;

/** A FIFO topic has no subscription that reads on a phone. */
const topicArn = z
  .string()
  .regex(/^arn:[a-z-]+:sns:[a-z0-9-]+:\d{12}:[A-Za-z0-9_-]{1,256}$/, 'the ARN of a topic of SNS that is not FIFO')
  .optional();

const announceSchema = z.strictObject({
  /** From the announcement to the first check before the fault; an abort is possible meanwhile. Seconds. */
  leadSeconds: z.int().min(LEAD_SECONDS.min).max(LEAD_SECONDS.max).default(LEAD_SECONDS.default),
  /** Clusters of another tier that are announced too. */
  alsoClusters: z.array(z.string()).default([]),
});

/** How people are told. Who is, they say themselves: by subscribing. */
export const notificationsSchema = z
  .strictObject({
    /** Topics of yours; what stands here must let Holdfast's account publish. The stack makes the others. */
    topics: z.strictObject({ INFO: topicArn, WARNING: topicArn, CRITICAL: topicArn }).prefault({}),
    /**
     * A start in production is announced before anything is done, and refused when that cannot be delivered. `false`: no start
     * is announced; where there is a production cluster, that must be said.
     */
    announce: z.union([z.literal(false), announceSchema]).optional(),
  })
  .prefault({});
export type Notifications = z.output<typeof notificationsSchema>;

/** What `announce` may not say of the clusters there are. For `superRefine` of the whole configuration. */
export function refuseAnnouncements(
  { clusters, notifications }: { clusters: Readonly<Record<string, { tier: string }>>; notifications: Notifications },
  context: z.core.$RefinementCtx,
): void {
  const { announce } = notifications;
  const refuse = (path: (string | number)[], message: string, input: unknown) =>
    context.issues.push({ code: 'custom', path: ['notifications', 'announce', ...path], message, input });
  const production = Object.entries(clusters).find(([, { tier }]) => tier === 'production');
  if (announce === undefined && production)
    refuse([], `is needed beside a production cluster (${production[0]}); false: no start is announced`, announce);
  if (!announce) return;
  for (const [position, name] of announce.alsoClusters.entries()) {
    if (Object.hasOwn(clusters, name)) continue;
    refuse(['alsoClusters', position], `is not a cluster; there are ${Object.keys(clusters).join(', ')}`, name);
  }
}
