import { createHash } from 'node:crypto';
import type { LabHost, LabSecret, StoreKeys } from '../engine.ts';
import { APPLICATION, CLIENT } from '../store-keys.ts';

/** Among nodes and Sentinels. */
export const REPLICATION = 'replication';
export const SENTINEL = 'sentinel';
/** Of the product: README, "Give Holdfast's users their rights". */
const [FUNCTIONS, FENCE] = ['holdfast', 'holdfast-host'];

/** User → rights, on every node. */
export const NODE_RIGHTS: Readonly<Record<string, string>> = {
  [APPLICATION]: '~* &* +@all',
  [REPLICATION]: '-@all +psync +replconf +ping',
  [SENTINEL]:
    'allchannels -@all +multi +slaveof +ping +exec +subscribe +config|rewrite +role +publish +info +client|setname +client|kill +script|kill',
  [FUNCTIONS]: '~holdfast:probe:* -@all +info +bgsave +role +set +get +mget +unlink +wait',
  [FENCE]: '-@all +role',
};

/** User → rights, on every Sentinel. */
export const SENTINEL_RIGHTS: Readonly<Record<string, string>> = {
  [APPLICATION]: '&* +@all',
  [SENTINEL]: '&* +@all',
  [FUNCTIONS]:
    '&+sdown &+odown &+switch-master -@all +subscribe +sentinel|masters +sentinel|replicas +sentinel|sentinels +sentinel|get-master-addr-by-name',
  [FENCE]: '-@all +sentinel|master',
};

/** With TLS Sentinels have users and passwords of their own, as where another team runs them. */
export function onSentinel(user: string, { tlsOnly }: Pick<LabHost, 'tlsOnly'>): string {
  return tlsOnly ? `${user}-on-sentinel` : user;
}

/** Hashed, so that a plain password is only where Redis needs to send it. */
export function accessControl(rights: Readonly<Record<string, string>>, keys: StoreKeys): string[] {
  const digest = (user: string) => createHash('sha256').update(keys.user(user).password).digest('hex');
  const lines = Object.entries(rights).map(([user, allowed]) => `user ${user} on #${digest(user)} ${allowed}`);
  return ['user default off', ...lines];
}

/** The secret that both functions and hosts read, each with its own user. */
export function secretText(user: string, host: Pick<LabHost, 'tlsOnly'>, keys: StoreKeys): string {
  const own = keys.user(user);
  if (!host.tlsOnly) return `${JSON.stringify(own)}\n`;
  const { username, password } = keys.user(onSentinel(user, host));
  return `${JSON.stringify({ ...own, sentinelUsername: username, sentinelPassword: password })}\n`;
}

export const hostSecretText = (host: LabHost, keys: StoreKeys) => secretText(FENCE, host, keys);

const KEY_ARN = 'arn:aws:kms:eu-west-1:111122223333:key/0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9';

export function secretsOf(host: LabHost, keys: StoreKeys): Record<string, LabSecret> {
  const credentials = secretText(FUNCTIONS, host, keys);
  if (!host.tlsOnly) return { 'holdfast/redis-master': { text: credentials } };
  const { ca, certificate, key } = keys.certificate(CLIENT);
  return {
    'holdfast/redis-tls': { text: credentials, keyArn: KEY_ARN },
    'holdfast/redis-tls-ca': { text: ca, keyArn: KEY_ARN },
    'holdfast/redis-tls-client': { text: JSON.stringify({ certificate, key }), keyArn: KEY_ARN },
  };
}
