import { PutObjectCommand } from '@aws-sdk/client-s3';
import { s3Client } from '../aws/clients.ts';
import { auditIndex, auditReader, cursors } from '../aws/wiring.ts';
import { ENVIRONMENT } from '../domain/names.ts';
import { environmentVariable } from '../runtime/environment.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { type Exported, exportAudit } from './export-audit.ts';

const Bucket = environmentVariable(ENVIRONMENT.auditBucket);
const dependencies = {
  index: auditIndex(),
  audit: auditReader(),
  cursors: cursors(),
  // Nothing is said of encryption: the bucket's own default holds.
  put: async (Key: string, Body: string) => {
    await s3Client('export').send(new PutObjectCommand({ Bucket, Key, Body, ContentType: 'application/x-ndjson' }));
  },
  stackName: environmentVariable(ENVIRONMENT.stackName),
  clock: systemClock,
};

export function handler(): Promise<Exported> {
  return exportAudit(dependencies);
}
