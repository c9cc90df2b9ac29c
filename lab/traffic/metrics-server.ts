import { createServer, type Server } from 'node:http';
import type { Registry } from 'prom-client';

/** `GET /metrics` of a process that serves nothing else. */
export function createMetricsServer(registry: Registry): Server {
  return createServer((request, response) => {
    request.resume();
    if (request.method !== 'GET' || request.url !== '/metrics') {
      response.writeHead(404).end('GET /metrics\n');
      return;
    }
    registry.metrics().then(
      (text) => response.setHeader('content-type', registry.contentType).end(text),
      (error: unknown) => response.destroy(error instanceof Error ? error : undefined),
    );
  });
}
