import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cassandraAccess } from '../../../../functions/engines/cassandra/access.ts';
import { type NodeEndpoint, openNode } from '../../../../functions/engines/cassandra/connection.ts';
import { freePort, listening } from '../../listening.ts';

const directory = mkdtempSync(join(tmpdir(), 'holdfast-cql-'));
const read = (name: string) => readFileSync(join(directory, name), 'utf8');
beforeAll(() => {
  for (const name of ['own', 'other'])
    execFileSync(
      'openssl',
      [
        ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1'],
        ...['-subj', '/CN=node', '-addext', 'subjectAltName=DNS:n1.example'],
        ...['-keyout', join(directory, `${name}.key`), '-out', join(directory, `${name}.pem`)],
      ],
      { stdio: 'ignore' },
    );
});
afterAll(() => rmSync(directory, { recursive: true }));

const endpoint = (port: number, change: Partial<NodeEndpoint> = {}): NodeEndpoint => ({
  ...{ addresses: ['127.0.0.1'], port, tls: undefined, login: { username: 'u', password: 'p' } },
  ...change,
});
const failure = async (given: NodeEndpoint) =>
  openNode(given).then(
    ({ close }) => {
      close();
      return 'opened';
    },
    (error: Error) => error.message,
  );
const tlsOf = (ca: string, serverName: string) =>
  cassandraAccess({ tls: { serverName }, secretName: undefined }, { credentials: {}, certificates: { ca } }).tlsTo({
    name: 'n1',
    port: 9042,
  });

describe('a client of one node', () => {
  it('sends nothing to who cannot prove the name: the driver alone would believe anybody', async () => {
    let received = 0;
    const server = createTlsServer({ key: read('own.key'), cert: read('own.pem') }, (socket) =>
      socket.on('data', (data) => (received += data.length)).on('error', () => {}),
    );
    server.on('tlsClientError', () => {});
    const port = await listening(server);
    const asked = (ca: string, name: string) => failure(endpoint(port, { tls: tlsOf(read(ca), name) }));
    expect(await asked('other.pem', 'n1.example')).toMatch(
      /^TLS to n1.example: its certificate is not of an authority that is trusted/,
    );
    expect(await asked('own.pem', 'n2.example')).toMatch(/^TLS to n2.example: its certificate is for another name/);
    expect(received).toBe(0);
    expect(await asked('own.pem', '{node}.example')).toMatch(/^no answer within 2000 ms|did not reply/);
    expect(received).toBeGreaterThan(0);
    server.close();
  });

  it('waits for nobody longer than a look may take, and says of a port with nobody behind it that there is none', async () => {
    const sockets: Socket[] = [];
    const hanging = createServer((socket) => sockets.push(socket));
    const began = performance.now();
    expect(await failure(endpoint(await listening(hanging)))).toMatch(/no answer within 2000 ms|did not reply/);
    expect(performance.now() - began).toBeLessThan(2500);
    for (const socket of sockets) socket.destroy();
    hanging.close();
    expect(await failure(endpoint(await freePort()))).toContain('ECONNREFUSED');
  });

  it('says that a node which ends the connection, as far as the driver tells, may demand TLS', async () => {
    const server = createServer((socket) => socket.on('data', () => socket.destroy()));
    const port = await listening(server);
    expect(await failure(endpoint(port))).toContain(`or it demands TLS on port ${port} (tls)`);
    server.close();
  });
});

it('is let in by the user of the secret, which must have both', () => {
  const access = (credentials: Record<string, string>) =>
    cassandraAccess({ secretName: 's', tls: undefined }, { credentials, certificates: {} });
  expect(access({ username: 'u', password: 'p', other: 'x' }).login).toEqual({ username: 'u', password: 'p' });
  expect(() => access({ password: 'p' })).toThrow('the secret must have "username" and "password"');
});
