import { createServer } from 'node:http';
import { FisClient } from '@aws-sdk/client-fis';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { safetyLeverOf } from '../../../../functions/aws/fis/safety-lever.ts';
import { listening } from '../../listening.ts';

/** A FIS that has one lever; another reason for a status that stays is a conflict. */
let state = { status: 'disengaged', reason: '' };
let whileOnItsWay: (() => void) | undefined;
let failure: { status: number; body: string } | undefined;
const asked: { call: string; authorization: string; body: string }[] = [];
const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on('data', (chunk: Buffer) => chunks.push(chunk));
  request.on('end', () => {
    const body = Buffer.concat(chunks).toString();
    asked.push({ call: `${request.method} ${request.url}`, authorization: request.headers.authorization ?? '', body });
    if (failure) return response.writeHead(failure.status).end(failure.body);
    if (body !== '') {
      whileOnItsWay?.();
      const wanted = JSON.parse(body).state;
      if (wanted.status === state.status) return response.writeHead(409).end('{"message":"it is so already"}');
      state = wanted;
    }
    response.writeHead(200).end(JSON.stringify({ safetyLever: { id: 'default', arn: 'arn', state } }));
  });
});
vi.stubEnv('AWS_ENDPOINT_URL_FIS', `http://127.0.0.1:${await listening(server)}`);
const fis = new FisClient({
  region: 'eu-west-1',
  credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' },
});
const lever = safetyLeverOf(fis, 'Prod');
beforeEach(() => {
  asked.length = 0;
  failure = undefined;
  whileOnItsWay = undefined;
  state = { status: 'disengaged', reason: '' };
});
afterAll(() => {
  vi.unstubAllEnvs();
  server.closeAllConnections();
  server.close();
});

describe("FIS's safety lever", () => {
  it('is engaged by a signed request with a reason that says whose it is', async () => {
    expect(await lever.engage('a bad release')).toMatchObject({ engaged: 'NOW' });
    expect(asked).toMatchObject([{ call: 'GET /safetyLevers/default' }, { call: 'PATCH /safetyLevers/default/state' }]);
    expect(asked[0]?.authorization).toMatch(
      /^AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE\/\d{8}\/eu-west-1\/fis\/aws4_request/,
    );
    expect(state).toEqual({ status: 'engaged', reason: 'Holdfast Prod: a bad release' });
  });

  it('is disengaged when it was we who engaged it', async () => {
    await lever.engage('a bad release');
    expect(await lever.disengage('all is well')).toBe(true);
    expect(state).toEqual({ status: 'disengaged', reason: 'Holdfast Prod: all is well' });
  });

  it('is engaged when it is engaged again, for the first reason', async () => {
    await lever.engage('a bad release');
    const reason = 'Holdfast Prod: a bad release';
    expect(await lever.engage('another one')).toEqual({ engaged: 'BEFORE', reason });
    expect(state).toEqual({ status: 'engaged', reason });
  });

  it.each(['engaged', 'engaging'])(
    'that somebody else engaged (%s) is as good, says whose it is, and is left to him',
    async (status) => {
      state = { status, reason: 'freeze of the year' };
      expect(await lever.engage('a bad release')).toEqual({ engaged: 'FOREIGN', reason: 'freeze of the year' });
      expect(await lever.disengage('all is well')).toBe(false);
      expect(state).toEqual({ status, reason: 'freeze of the year' });
    },
  );

  it('that another stack engaged is not disengaged by this one', async () => {
    await safetyLeverOf(fis, 'Staging').engage('a bad release');
    expect(await lever.disengage('all is well')).toBe(false);
    expect(state.status).toBe('engaged');
  });

  it('is looked at again when somebody engaged it meanwhile', async () => {
    whileOnItsWay = () => {
      state = { status: 'engaged', reason: 'freeze of the year' };
    };
    expect(await lever.engage('a bad release')).toEqual({ engaged: 'FOREIGN', reason: 'freeze of the year' });
  });

  it('does not look engaged when FIS refuses, or answers something else', async () => {
    failure = { status: 403, body: 'not authorized' };
    await expect(lever.engage('x')).rejects.toThrow('FIS answered 403: not authorized');
    // What cannot be read is engaged all the same.
    expect(asked).toMatchObject([{}, { call: 'PATCH /safetyLevers/default/state' }]);
    failure = { status: 409, body: 'conflict' };
    await expect(lever.engage('x')).rejects.toThrow('FIS answered 409');
    failure = { status: 200, body: '{}' };
    await expect(lever.engage('x')).rejects.toThrow();
    const still = { id: 'default', arn: 'arn', state: { status: 'disengaged' } };
    failure = { status: 200, body: JSON.stringify({ safetyLever: still }) };
    await expect(lever.engage('x')).rejects.toThrow(/disengaged/);
  });
});
