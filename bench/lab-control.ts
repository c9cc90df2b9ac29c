import { request } from 'node:http';
import { z } from 'zod';

const usageSchema = z.looseObject({
  lambdaInvocations: z.number(),
  operations: z.record(z.string(), z.number()),
  gigabyteSeconds: z.number(),
  stateTransitions: z.number(),
  apiRequests: z.number(),
});

const processSchema = z.looseObject({
  function: z.string(),
  pid: z.number(),
  state: z.string(),
  /** Time from the start of the process to its first readiness. Milliseconds. */
  initMs: z.number().optional(),
});
export type FunctionProcess = z.infer<typeof processSchema>;

/** What the lab's AWS side has counted so far. */
export async function readUsage(controlSocket: string): Promise<z.infer<typeof usageSchema>> {
  return usageSchema.parse(await get(controlSocket, '/usage'));
}

/** The running environments of all functions; pids are those of the lab's own pid namespace. */
export async function readProcesses(controlSocket: string): Promise<FunctionProcess[]> {
  return z.array(processSchema).parse(await get(controlSocket, '/processes'));
}

function get(controlSocket: string, path: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath: controlSocket, path, timeout: 5_000 }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => {
        if (response.statusCode !== 200) return reject(new Error(`GET ${path}: ${response.statusCode} ${text}`));
        try {
          resolve(JSON.parse(text));
        } catch {
          reject(new Error(`GET ${path}: the answer is not JSON`));
        }
      });
      response.on('error', reject);
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error(`GET ${path}: no answer in 5 s`)));
    outgoing.on('error', reject);
    outgoing.end();
  });
}
