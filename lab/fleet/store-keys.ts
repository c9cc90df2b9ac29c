import { createHmac, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { LAB_FILES, OWN_FILES, writeJson } from '../shared/files.ts';
import type { StoreKeys, StoreUser } from './engine.ts';

/** Whoever plays an application: gateways, tests. */
export const APPLICATION = 'application';
/** The certificate of clients in the lab that are no hosts. */
export const CLIENT = 'client';

const seedSchema = z.object({ seed: z.string().min(1) });

/** Fresh for every lab, before its certificates are read. The gateways read the same file. */
export function createStoreKeys(directory: string): StoreKeys {
  writeJson(join(directory, OWN_FILES.storeKeys), { seed: randomBytes(24).toString('hex') });
  const keys = readStoreKeys(directory);
  writeJson(join(directory, LAB_FILES.storeSecret), keys.user(APPLICATION));
  return keys;
}

/** @throws Error when the lab has none yet. */
export function readStoreKeys(directory: string): StoreKeys {
  const { seed } = seedSchema.parse(JSON.parse(readFileSync(join(directory, OWN_FILES.storeKeys), 'utf8')));
  const file = (name: string) => readFileSync(join(directory, OWN_FILES.tls, name), 'utf8');
  return {
    user: (username): StoreUser => ({
      username,
      password: createHmac('sha256', seed).update(username).digest('hex').slice(0, 48),
    }),
    certificate: (name) => ({ ca: file('store-ca.pem'), certificate: file(`${name}.pem`), key: file(`${name}.key`) }),
  };
}
