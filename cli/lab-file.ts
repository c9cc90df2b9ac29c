import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import * as z from 'zod';
import type { ApiConnection } from './api-client.ts';
import { message, UsageError } from './exit-codes.ts';

/** What a running lab says of itself, in its directory. */
export const LAB_FILE = 'lab.json';

const text = z.string().min(1);
const schema = z.object({ apiUrl: text, caFile: text, region: text, accessKeyId: text, secretAccessKey: text });

/** @throws UsageError when no lab with an API is up there. */
export function connectToLab(directory: string): ApiConnection {
  const file = join(resolve(directory), LAB_FILE);
  const hint = '`npm run lab -- up` starts one; --lab takes the directory of a lab, which is .lab where it is left out';
  let read: unknown;
  try {
    read = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    throw new UsageError(`no lab is up in ${resolve(directory)} (${message(error)}); ${hint}`);
  }
  const lab = schema.safeParse(read);
  if (!lab.success) throw new UsageError(`${file} describes no lab with an API; ${hint}`);
  const { apiUrl, caFile, region, accessKeyId, secretAccessKey } = lab.data;
  return { apiUrl, caFile, region, credentials: { accessKeyId, secretAccessKey } };
}
