import type { LabSecret, StoreKeys } from '../engine.ts';
import { APPLICATION, CLIENT } from '../store-keys.ts';

/** Super user: brokers among themselves, and who sets the cluster up. */
export const BROKER = 'broker';
/** Of the product: docs/engines/kafka.md, "Users and rights". */
export const FUNCTIONS = 'holdfast';
export const USERS = [BROKER, APPLICATION, FUNCTIONS] as const;

export function secretText(user: string, keys: StoreKeys): string {
  return `${JSON.stringify(keys.user(user))}\n`;
}

export function secretsOf(cluster: string, keys: StoreKeys): Record<string, LabSecret> {
  return {
    [`holdfast/${cluster}`]: { text: secretText(FUNCTIONS, keys) },
    [`holdfast/${cluster}-ca`]: { text: keys.certificate(CLIENT).ca },
  };
}
