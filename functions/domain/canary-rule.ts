import * as z from 'zod';

/** A fault may be here only when it was confirmed elsewhere before. */
export const canaryFirstSchema = z.strictObject({
  /** Another cluster of the same engine and the same configuration. */
  cluster: z.string().min(1),
  withinDays: z.int().min(1).max(365).default(14),
});
export type CanaryFirst = z.output<typeof canaryFirstSchema>;

interface Deployment {
  clusters: Readonly<Record<string, { engine: string; canaryFirst?: CanaryFirst | undefined }>>;
}

/** A canary that is not there, or is none, would refuse everything for ever. For `superRefine` of a whole configuration. */
export function refuseCanaries({ clusters }: Deployment, context: z.core.$RefinementCtx): void {
  for (const [name, { engine, canaryFirst }] of Object.entries(clusters)) {
    if (!canaryFirst) continue;
    const problem = refuseCanary(name, engine, canaryFirst.cluster, clusters);
    const path = ['clusters', name, 'canaryFirst', 'cluster'];
    if (problem) context.issues.push({ code: 'custom', path, message: problem, input: canaryFirst.cluster });
  }
}

function refuseCanary(
  name: string,
  engine: string,
  canary: string,
  clusters: Deployment['clusters'],
): string | undefined {
  if (canary === name) return 'is the cluster itself';
  const found = Object.hasOwn(clusters, canary) ? clusters[canary] : undefined;
  if (!found) return `${canary} is no cluster of this configuration`;
  if (found.engine !== engine) return `${canary} runs ${found.engine}, and ${name} ${engine}`;
  return found.canaryFirst?.cluster === name ? `${canary} waits for ${name} itself` : undefined;
}
