import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { LAB_FILES, writeJson } from '../shared/files.ts';
import type { StoreSecret } from './engine.ts';

const secretSchema = z.object({ username: z.string().min(1), password: z.string().min(1) });

/** Fresh for every lab. The gateway and the stand-in for Secrets Manager read the same file. */
export function createStoreSecret(directory: string): StoreSecret {
  const secret = { username: 'holdfast', password: randomBytes(24).toString('hex') };
  writeJson(join(directory, LAB_FILES.storeSecret), secret);
  return secret;
}

/** @throws Error when the lab has none yet. */
export function readStoreSecret(directory: string): StoreSecret {
  return secretSchema.parse(JSON.parse(readFileSync(join(directory, LAB_FILES.storeSecret), 'utf8')));
}
