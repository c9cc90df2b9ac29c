import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { writeAtomically } from '../../shared/files.ts';
import { AwsError } from '../protocol/aws-error.ts';
import { xmlError } from '../protocol/error-answer.ts';
import type { HttpAnswer, WireRequest } from '../protocol/http.ts';
import type { Endpoint, EndpointCall } from '../protocol/service.ts';
import { bucketOfHost } from '../protocol/virtual-host.ts';

const CHECKSUM = 'x-amz-checksum-crc32';

/**
 * S3, as far as the product uses it: PutObject into the operator's bucket, which has Object Lock and encrypts by default. Objects
 * lie as files below the lab's directory.
 */
export class S3 implements Endpoint {
  readonly signingName = 's3';
  readonly renderError = xmlError;
  readonly #directory: string;
  readonly #buckets: readonly string[];

  /** @param directory where the buckets are folders */
  constructor(directory: string, buckets: readonly string[]) {
    this.#directory = directory;
    this.#buckets = buckets;
  }

  read(request: WireRequest): EndpointCall {
    const { pathname, searchParams } = new URL(request.url, 'https://s3');
    const [first = '', ...rest] = pathname.slice(1).split('/').map(decodeURIComponent);
    const ofHost = bucketOfHost(request.headers.host);
    const [bucket, key] = ofHost === undefined ? [first, rest.join('/')] : [ofHost, [first, ...rest].join('/')];
    const parameters = [...searchParams.keys()].filter((name) => name !== 'x-id');
    if (request.method !== 'PUT' || key === '' || parameters.length > 0 || request.headers['x-amz-copy-source']) {
      throw new AwsError('NotImplemented', `the lab knows PutObject, not ${request.method} ${request.url}`, 501);
    }
    return {
      name: 'PutObject',
      demands: () => [{ action: 's3:PutObject', resource: `arn:aws:s3:::${bucket}/${key}` }],
      run: async () => this.#put(bucket, key, request),
    };
  }

  #put(bucket: string, key: string, { headers, body }: WireRequest): HttpAnswer {
    if (!this.#buckets.includes(bucket)) throw new AwsError('NoSuchBucket', 'The specified bucket does not exist', 404);
    if (key.split('/').some((part) => part === '..' || part === '')) throw new AwsError('InvalidRequest', 'key', 400);
    const given = headers[CHECKSUM];
    if (given === undefined) {
      const message = 'Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock';
      throw new AwsError('InvalidRequest', message, 400);
    }
    const computed = Buffer.alloc(4);
    computed.writeUInt32BE(crc32(body));
    if (given !== computed.toString('base64')) throw new AwsError('BadDigest', 'The CRC32 did not match.', 400);
    writeAtomically(join(this.#directory, bucket, key), body.toString('utf8'));
    const etag = createHash('md5').update(body).digest('hex');
    const encrypted = { 'x-amz-server-side-encryption': 'AES256' };
    return { status: 200, headers: { etag: `"${etag}"`, [CHECKSUM]: given, ...encrypted }, body: '' };
  }
}
