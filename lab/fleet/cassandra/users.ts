import type { LabSecret, StoreKeys } from '../engine.ts';
import { CLIENT } from '../store-keys.ts';

/** Super user of the lab itself, in the place of the one that every cluster is born with. */
export const ADMINISTRATOR = 'administrator';
/** Of the product: docs/engines/cassandra.md, "Users and rights". */
export const FUNCTIONS = 'holdfast_probe';
/** What a cluster is born with: name and password. */
export const BORN = { username: 'cassandra', password: 'cassandra' } as const;

export function secretText(user: string, keys: StoreKeys): string {
  return `${JSON.stringify(keys.user(user))}\n`;
}

export function secretsOf(cluster: string, keys: StoreKeys): Record<string, LabSecret> {
  return {
    [`holdfast/${cluster}`]: { text: secretText(FUNCTIONS, keys) },
    [`holdfast/${cluster}-ca`]: { text: keys.certificate(CLIENT).ca },
  };
}
