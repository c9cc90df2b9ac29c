import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import { AwsError } from './aws-error.ts';
import type { WireRequest } from './http.ts';
import type { KeyRing, Principal } from './principal.ts';

export interface VerifiedRequest {
  principal: Principal;
  accessKeyId: string;
  service: string;
  region: string;
}

/** AWS refuses a signature whose date is further off than this, either way. */
export const MAX_SKEW_MS = 5 * 60_000;
const SCOPE =
  /^AWS4-HMAC-SHA256 Credential=([^/,\s]+)\/(\d{8})\/([^/,\s]+)\/([^/,\s]+)\/aws4_request,\s*SignedHeaders=([^,\s]+),\s*Signature=([0-9a-f]{64})$/;
const sha256 = (data: string | Buffer): string => createHash('sha256').update(data).digest('hex');
const hmac = (key: string | Buffer, data: string): Buffer => createHmac('sha256', key).update(data).digest();

/** The service of the credential scope, before anything is verified: it decides in whose shape an error is answered. */
export function claimedService(headers: Record<string, string>): string | undefined {
  return SCOPE.exec(headers.authorization ?? '')?.[4];
}

/**
 * Recomputes Signature Version 4 and compares in constant time.
 * @throws AwsError with the code AWS uses: missing, incomplete, expired, unknown key, wrong token, wrong signature.
 */
export function verifySignature(request: WireRequest, keys: KeyRing, region: string, nowMs: number): VerifiedRequest {
  const authorization = request.headers.authorization;
  if (authorization === undefined) {
    throw new AwsError('MissingAuthenticationTokenException', 'Missing Authentication Token', 403);
  }
  const match = SCOPE.exec(authorization);
  if (match === null)
    throw new AwsError('IncompleteSignatureException', 'Authorization header is not a SigV4 one.', 403);
  const [, accessKeyId = '', day = '', scopeRegion = '', service = '', signedHeaders = '', signature = ''] = match;
  const amzDate = request.headers['x-amz-date'] ?? '';
  const signedAtMs = parseAmzDate(amzDate);
  if (signedAtMs === undefined || !amzDate.startsWith(day)) {
    throw new AwsError(
      'IncompleteSignatureException',
      `Date in Credential scope does not match x-amz-date '${amzDate}'.`,
      403,
    );
  }
  const found = keys.find(accessKeyId);
  if (found === undefined) {
    throw new AwsError('UnrecognizedClientException', 'The security token included in the request is invalid.', 403);
  }
  const token = found.credentials.sessionToken;
  if (!sameText(request.headers['x-amz-security-token'] ?? '', token ?? '')) {
    throw new AwsError('UnrecognizedClientException', 'The security token included in the request is invalid.', 403);
  }
  if (scopeRegion !== region) {
    throw new AwsError(
      'InvalidSignatureException',
      `Credential should be scoped to a valid region, not '${scopeRegion}'.`,
      403,
    );
  }
  const names = signedHeaders.split(';');
  for (const required of ['host', 'x-amz-date', ...(token === undefined ? [] : ['x-amz-security-token'])]) {
    if (!names.includes(required)) {
      throw new AwsError('IncompleteSignatureException', `'${required}' must be a signed header.`, 403);
    }
  }
  const scope = `${day}/${scopeRegion}/${service}/aws4_request`;
  const stringToSign = ['AWS4-HMAC-SHA256', amzDate, scope, sha256(canonicalRequest(request, names, service))].join(
    '\n',
  );
  const key = [scopeRegion, service, 'aws4_request'].reduce(
    (derived, part) => hmac(derived, part),
    hmac(`AWS4${found.credentials.secretAccessKey}`, day),
  );
  if (!sameText(hmac(key, stringToSign).toString('hex'), signature)) {
    throw new AwsError(
      'InvalidSignatureException',
      'The request signature we calculated does not match the signature you provided.',
      403,
    );
  }
  if (Math.abs(nowMs - signedAtMs) > MAX_SKEW_MS) {
    const edge = signedAtMs < nowMs ? 'expired' : 'not yet current';
    throw new AwsError('InvalidSignatureException', `Signature ${edge}: ${amzDate} is more than 5 minutes off.`, 403);
  }
  return { principal: found.principal, accessKeyId, service, region: scopeRegion };
}

function canonicalRequest(request: WireRequest, signedHeaders: string[], service: string): string {
  const [path = '/', query = ''] = request.url.split(/\?(.*)/s);
  const headers = signedHeaders.map((name) => `${name}:${(request.headers[name] ?? '').trim().replace(/\s+/g, ' ')}\n`);
  // The body that arrived is hashed, whatever x-amz-content-sha256 claims: a tampered body must not pass.
  const payloadHash = sha256(request.body);
  // Every service but S3 signs the path encoded once more.
  const canonicalPath = service === 's3' ? path : path.split('/').map(encodeStrictly).join('/') || '/';
  return [
    request.method,
    canonicalPath,
    canonicalQuery(query),
    headers.join(''),
    signedHeaders.join(';'),
    payloadHash,
  ].join('\n');
}

function canonicalQuery(query: string): string {
  if (query === '') return '';
  return query
    .split('&')
    .map((pair) => {
      const [name = '', value = ''] = pair.split(/=(.*)/s);
      return [encodeStrictly(decodeURIComponent(name)), encodeStrictly(decodeURIComponent(value))] as const;
    })
    .sort(([nameA, valueA], [nameB, valueB]) => compare(nameA, nameB) || compare(valueA, valueB))
    .map(([name, value]) => `${name}=${value}`)
    .join('&');
}

const compare = (left: string, right: string): number => (left < right ? -1 : left > right ? 1 : 0);

function encodeStrictly(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** `20260101T000000Z` → epoch milliseconds. */
function parseAmzDate(date: string): number | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(date);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second] = match;
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}

/** Compares secrets in constant time. */
export function sameText(left: string, right: string): boolean {
  const [a, b] = [Buffer.from(left), Buffer.from(right)];
  return a.length === b.length && timingSafeEqual(a, b);
}
