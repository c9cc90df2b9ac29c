import { Sha256 } from '@aws-crypto/sha256-js';
import { SignatureV4 } from '@smithy/signature-v4';
import { describe, expect, it } from 'vitest';
import { CredentialStore } from '../../../../lab/aws/iam/principals.ts';
import { userPrincipal } from '../../../../lab/aws/iam/roles.ts';
import type { WireRequest } from '../../../../lab/aws/protocol/http.ts';
import { MAX_SKEW_MS, verifySignature } from '../../../../lab/aws/protocol/signature.ts';
import { ACCOUNT_ID, REGION } from '../../../../lab/shared/topology.ts';

const store = new CredentialStore();
const credentials = store.mintUser(userPrincipal(ACCOUNT_ID, 'tester', ['*'], ['*']));
const session = store.mintSession(userPrincipal(ACCOUNT_ID, 'session', ['*'], ['*']));
const SIGNED_AT = new Date('2026-03-01T12:00:00Z');

async function signed(with_: typeof credentials = credentials): Promise<WireRequest> {
  const signer = new SignatureV4({ credentials: with_, region: REGION, service: 'execute-api', sha256: Sha256 });
  const body = '{"experimentId":"a"}';
  const request = await signer.sign(
    {
      method: 'POST',
      protocol: 'https:',
      hostname: 'aws.holdfast.internal',
      path: '/api/v1/chaos/experiments/a%20b',
      query: { dryRun: 'true', cluster: 'redis master' },
      headers: { host: 'aws.holdfast.internal', 'content-type': 'application/json' },
      body,
    },
    { signingDate: SIGNED_AT },
  );
  return {
    method: 'POST',
    url: '/api/v1/chaos/experiments/a%20b?dryRun=true&cluster=redis%20master',
    headers: request.headers,
    body: Buffer.from(body),
    sourceIp: '127.0.0.1',
  };
}
const verify = (request: WireRequest, nowMs = SIGNED_AT.getTime()) => verifySignature(request, store, REGION, nowMs);

describe('Signature Version 4', () => {
  it('accepts what the SDK signs, for a user and for a session', async () => {
    expect(verify(await signed()).principal.name).toBe('tester');
    expect(verify(await signed(session)).principal.name).toBe('session');
  });

  it.each([
    ['a changed body', (request: WireRequest) => ({ ...request, body: Buffer.from('{"experimentId":"b"}') })],
    ['a changed query', (request: WireRequest) => ({ ...request, url: request.url.replace('true', 'false') })],
    ['a changed path', (request: WireRequest) => ({ ...request, url: request.url.replace('a%20b', 'c') })],
    ['a changed method', (request: WireRequest) => ({ ...request, method: 'DELETE' })],
    [
      'a changed signed header',
      (request: WireRequest) => ({ ...request, headers: { ...request.headers, host: 'other' } }),
    ],
  ])('refuses %s', async (_what, tamper) => {
    const request = tamper(await signed());
    expect(() => verify(request)).toThrow(expect.objectContaining({ code: 'InvalidSignatureException' }));
  });

  it.each([MAX_SKEW_MS + 1000, -MAX_SKEW_MS - 1000])('refuses a signature %d ms off', async (offMs) => {
    const request = await signed();
    expect(() => verify(request, SIGNED_AT.getTime() + offMs)).toThrow(/5 minutes/);
  });

  it('refuses a session without its token, an unknown key, and no signature at all', async () => {
    const request = await signed(session);
    const stolen = { ...request, headers: { ...request.headers, 'x-amz-security-token': 'other' } };
    expect(() => verify(stolen)).toThrow(expect.objectContaining({ code: 'UnrecognizedClientException' }));
    const unknown = await signed({ ...credentials, accessKeyId: 'AKIAUNKNOWN' });
    expect(() => verify(unknown)).toThrow(expect.objectContaining({ code: 'UnrecognizedClientException' }));
    expect(() => verify({ ...request, headers: {} })).toThrow(
      expect.objectContaining({ code: 'MissingAuthenticationTokenException' }),
    );
  });
});
