import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { isObject } from '../lab/aws/protocol/json.ts';
import { readTemplate } from '../lab/aws/template/template.ts';
import { ACCOUNT_ID, REGION } from '../lab/shared/topology.ts';
import type { BundleSize } from './report.ts';

/** The JavaScript of every function of the synthesized stack, compressed as its upload would be; largest first. */
export function readBundleSizes(cdkOut: string): BundleSize[] {
  const template = readTemplate(cdkOut, { accountId: ACCOUNT_ID, region: REGION });
  return template
    .ofType('AWS::Lambda::Function')
    .map(({ name, properties }) => {
      const key = isObject(properties.Code) ? properties.Code.S3Key : undefined;
      return { name, gzipBytes: gzipBytesOf(template.assetPath(String(key))) };
    })
    .sort((a, b) => b.gzipBytes - a.gzipBytes);
}

function gzipBytesOf(path: string): number {
  if (!statSync(path).isDirectory()) return gzipSync(readFileSync(path)).length;
  const scripts = readdirSync(path).filter((file) => /\.[cm]?js$/.test(file));
  return scripts.reduce((sum, file) => sum + gzipSync(readFileSync(join(path, file))).length, 0);
}
