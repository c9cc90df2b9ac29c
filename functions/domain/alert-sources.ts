import * as z from 'zod';

/** Whose alerts end experiments, beside CloudWatch's alarms. */

const ampWorkspaceArn = z
  .string()
  .regex(
    /^arn:[a-z-]+:aps:[a-z0-9-]+:\d{12}:workspace\/[A-Za-z0-9-]{1,64}$/,
    'the ARN of a workspace of Amazon Managed Service for Prometheus',
  );
const principalArn = z
  .string()
  .regex(/^arn:[a-z-]+:iam::\d{12}:(?:role|user)\/[\w+=,.@/-]+$/, 'the ARN of a role or a user, without wildcards');

export const alertSourceFields = {
  /**
   * Workspace of Amazon Managed Service for Prometheus that gets the rules made of the guardrails. One that is created has our
   * alert manager definition; of one that is there the definition stays yours, see docs/alerts.md.
   */
  amp: z
    .union(
      [z.strictObject({ workspaceArn: ampWorkspaceArn }), z.strictObject({ create: z.literal(true) })],
      'either { workspaceArn } with the ARN of a workspace, or { create: true }',
    )
    .optional(),
  /** Who may publish alerts: the role that an Alertmanager of your own signs with. */
  alertmanagerPrincipals: z.array(principalArn).default([]),
};
