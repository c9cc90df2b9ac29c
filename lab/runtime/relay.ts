import { createConnection, createServer, type NetConnectOpts, type Server, type Socket } from 'node:net';

/** Joins two sockets; when either ends or fails, so does the other. */
function join(client: Socket, connect: NetConnectOpts): void {
  const upstream = createConnection(connect);
  client.pipe(upstream).pipe(client);
  for (const socket of [client, upstream]) {
    socket.on('error', () => {
      client.destroy();
      upstream.destroy();
    });
    socket.on('close', () => {
      client.destroy();
      upstream.destroy();
    });
  }
}

/**
 * Relays bytes from a listener to `connect`, one connection for one. A path name of a unix socket works across network
 * namespaces, so a pair of these is the only way in and out of the lab.
 */
export async function relay(
  listen: { path: string } | { host: string; port: number },
  connect: NetConnectOpts,
): Promise<Server> {
  const server = createServer((client) => join(client, connect));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(listen, resolve);
  });
  return server;
}

/** The port that a relay on `{port: 0}` was given. */
export function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the relay does not listen on a TCP port');
  return address.port;
}
