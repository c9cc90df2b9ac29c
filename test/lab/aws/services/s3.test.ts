import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AUDIT_BUCKET } from '../../../../lab/shared/topology.ts';
import { functionCredentials, type Lab, startLab } from '../fixture.ts';

let lab: Lab;
beforeAll(async () => {
  lab = await startLab();
}, 60_000);
afterAll(() => lab.stop());

/** By the path: the fixture's endpoint is an address, before which no bucket can stand. */
const client = (change: object = {}) =>
  new S3Client({ ...lab.client(lab.system.administrator), forcePathStyle: true, maxAttempts: 1, ...change });
const put = (Key: string, change: object = {}) =>
  new PutObjectCommand({
    Bucket: AUDIT_BUCKET,
    Key,
    Body: '{"a":1}\n',
    ContentType: 'application/x-ndjson',
    ...change,
  });

describe('S3', () => {
  it('keeps what is put, overwrites it with what is put again, and encrypts as the bucket says', async () => {
    const answer = await client().send(put('holdfast/x/2026-05-29/experiments/a.jsonl'));
    expect(answer).toMatchObject({ ServerSideEncryption: 'AES256', ETag: expect.stringMatching(/^"[0-9a-f]{32}"$/) });
    await client().send(put('holdfast/x/2026-05-29/experiments/a.jsonl', { Body: 'again' }));
    const file = join(lab.directory, 's3', AUDIT_BUCKET, 'holdfast/x/2026-05-29/experiments/a.jsonl');
    expect(readFileSync(file, 'utf8')).toBe('again');
    expect(lab.takeViolations()).toEqual([]);
  });

  it('signs and finds a key whose characters are escaped', async () => {
    await client().send(put('a key/with (all) of+it=&.jsonl'));
    expect(readFileSync(join(lab.directory, 's3', AUDIT_BUCKET, 'a key/with (all) of+it=&.jsonl'), 'utf8')).toContain(
      'a',
    );
  });

  it('denies whom no policy allows it, and knows a wrong key', async () => {
    await expect(client(lab.client(functionCredentials(lab))).send(put('a'))).rejects.toMatchObject({
      name: 'AccessDenied',
    });
    const credentials = { ...lab.system.administrator, secretAccessKey: 'wrong' };
    await expect(client({ credentials }).send(put('a'))).rejects.toMatchObject({ name: 'InvalidSignatureException' });
  });

  it('has Object Lock, and so refuses an object without a checksum', async () => {
    const careless = client({ requestChecksumCalculation: 'WHEN_REQUIRED' });
    await expect(careless.send(put('a'))).rejects.toMatchObject({ name: 'InvalidRequest' });
  });
});
