import * as z from 'zod';

/** Of the configuration: where the log goes each day. The bucket is the operator's, with its Object Lock and its encryption. */
export const auditExportSchema = z.strictObject({
  bucketArn: z.string().regex(/^arn:[a-z-]+:s3:::[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'the ARN of a bucket'),
  /** The KMS key (ARN) that the bucket encrypts with, where it is a customer's. */
  keyArn: z
    .string()
    .regex(/^arn:[a-z-]+:kms:[a-z0-9-]+:\d{12}:key\/[A-Za-z0-9-]+$/, 'the ARN of a KMS key, not of an alias')
    .optional(),
});

const ROOT = 'holdfast';

/** Everything that one deployment writes begins with this. */
export function exportPrefix(stackName: string): string {
  return `${ROOT}/${stackName}/`;
}

/** @param day `YYYY-MM-DD` */
export function experimentKey(stackName: string, day: string, experimentId: string): string {
  return `${exportPrefix(stackName)}${day}/experiments/${experimentId}.jsonl`;
}

/** Of what is no experiment: a kill switch, a schedule. */
export function otherLogKey(stackName: string, day: string, id: string): string {
  return `${exportPrefix(stackName)}${day}/other/${id.replaceAll('#', '-')}.jsonl`;
}

/** @param part counted from 1 */
export function refusalsKey(stackName: string, day: string, part: number): string {
  return `${exportPrefix(stackName)}${day}/refusals-${part}.jsonl`;
}
