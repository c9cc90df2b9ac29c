import { GATEWAY_PORT, serviceNamed } from '../shared/topology.ts';
import { waitFor } from '../shared/wait-for.ts';
import { ROUTING } from './routing.ts';

export const GATEWAYS = ['gateway-1', 'gateway-2'].map(serviceNamed);

const READY_TIMEOUT_SECONDS = 30;
/** Slow enough that the failures of a gateway still connecting stay a handful. */
const POLL_MS = 250;

async function gatewayProblem(base: string): Promise<string | undefined> {
  for (const { name, writeOnly } of ROUTING.lanes) {
    const url = `${base}/${writeOnly ? 'write' : 'read'}?shard=${name}&key=lab:ready`;
    const response = await fetch(url, { method: writeOnly ? 'POST' : 'GET', signal: AbortSignal.timeout(2000) });
    await response.body?.cancel();
    if (!response.ok) return `${url}: HTTP ${response.status}`;
  }
  return undefined;
}

/** Every gateway serves every lane. @throws Error with the last failure after 30 s. */
export async function waitForGateways(): Promise<void> {
  await Promise.all(
    GATEWAYS.map(({ name, managementAddress }) => {
      const base = `http://${managementAddress}:${GATEWAY_PORT}`;
      return waitFor(name, READY_TIMEOUT_SECONDS, () => gatewayProblem(base), POLL_MS);
    }),
  );
}
