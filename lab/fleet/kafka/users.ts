import type { LabSecret, StoreKeys } from '../engine.ts';
import { APPLICATION, CLIENT } from '../store-keys.ts';
import { CLUSTER } from './hosts.ts';

/** Super user: brokers among themselves, and who sets the cluster up. */
export const BROKER = 'broker';
/** Of the product: docs/engines/kafka.md, "Users and rights". */
export const FUNCTIONS = 'holdfast';
export const USERS = [BROKER, APPLICATION, FUNCTIONS] as const;

export function secretText(user: string, keys: StoreKeys): string {
  return `${JSON.stringify(keys.user(user))}\n`;
}

export function secretsOf(keys: StoreKeys): Record<string, LabSecret> {
  return {
    [`holdfast/${CLUSTER}`]: { text: secretText(FUNCTIONS, keys) },
    [`holdfast/${CLUSTER}-ca`]: { text: keys.certificate(CLIENT).ca },
  };
}
