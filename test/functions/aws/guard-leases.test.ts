import { createServer } from 'node:http';
import { afterAll, afterEach, describe, expect, it, vi } from 'vitest';
import { guardLeases, killSwitches } from '../../../functions/aws/wiring.ts';
import { ENVIRONMENT } from '../../../functions/domain/names.ts';
import { PATIENCE } from '../../../functions/domain/timing.ts';
import { listening } from '../listening.ts';

/** A DynamoDB that takes every call and loses every answer, or says that it is broken. */
const calls: string[] = [];
let silent = false;
const server = createServer((request, response) => {
  calls.push(String(request.headers['x-amz-target']).replace(/^.*\./, ''));
  if (!silent) response.writeHead(500, { 'content-type': 'application/x-amz-json-1.0' }).end('{}');
});
vi.stubEnv('AWS_ENDPOINT_URL_DYNAMODB', `http://127.0.0.1:${await listening(server)}`);
vi.stubEnv('AWS_REGION', 'eu-west-1');
vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
vi.stubEnv(ENVIRONMENT.leaseTable, 'leases');
const leases = guardLeases();

afterEach(() => {
  calls.length = 0;
  silent = false;
});

afterAll(() => {
  vi.unstubAllEnvs();
  server.closeAllConnections();
  server.close();
});

describe("the guard's lease", () => {
  it('gets one beat for one evaluation, even when the answer says that it failed', async () => {
    await expect(leases.renew('exp', [])).rejects.toThrow();
    expect(calls).toEqual(['UpdateItem']);
  });

  it('gives a beat and the kill switch up in time, without a second try', async () => {
    silent = true;
    const startedMs = performance.now();
    await expect(leases.renew('exp', [])).rejects.toThrow();
    await expect(killSwitches('beat').engaged(['redis-master'])).rejects.toThrow();
    expect(calls).toEqual(['UpdateItem', 'BatchGetItem']);
    // Two calls, and as long again for the machine.
    expect(performance.now() - startedMs).toBeLessThan(3 * PATIENCE.beat.withinMs);
  });

  it('is released with every try there is', async () => {
    await expect(leases.release('exp', 'GUARDRAIL', 'breach')).rejects.toThrow();
    expect(calls).toEqual(Array(PATIENCE.lease.attempts).fill('UpdateItem'));
    expect(calls.length).toBeGreaterThan(1);
  });
});
