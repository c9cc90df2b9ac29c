import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CHECKOUT, LAB_FILES, OWN_FILES, writeAtomically } from '../shared/files.ts';
import { ACCOUNT_ID, REGION } from '../shared/topology.ts';
import { runToEnd } from './parts.ts';

/** Everything that can change a synthesized template or bundle. */
const SOURCES = [
  'bin',
  'lib',
  'functions',
  'host',
  'lab/holdfast.config.ts',
  'cdk.json',
  'package-lock.json',
  'tsconfig.json',
];
const CONFIGURATION = 'lab/holdfast.config.ts';
const TIMEOUT_SECONDS = 180;

function filesBelow(path: string): string[] {
  if (!existsSync(path)) return [];
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path)
    .sort()
    .flatMap((name) => filesBelow(join(path, name)));
}

/** Digest over the names and contents of all sources of the deployed system. */
export function sourceHash(checkout: string = CHECKOUT): string {
  const hash = createHash('sha256');
  for (const file of SOURCES.flatMap((source) => filesBelow(join(checkout, source)))) {
    hash
      .update(`${file.slice(checkout.length)}\0`)
      .update(readFileSync(file))
      .update('\0');
  }
  return hash.digest('hex');
}

/**
 * Synthesizes the CDK app for the lab into `cdk.out`, unless that was made from the very same sources.
 * @returns false when there was nothing to do.
 * @throws Error with the output of `cdk synth` when it fails; then no `cdk.out` is left that could be taken for good.
 */
export async function synthesize(directory: string): Promise<boolean> {
  const output = join(directory, LAB_FILES.cdkOut);
  const hashFile = join(directory, OWN_FILES.synthesisHash);
  const hash = sourceHash();
  if (existsSync(output) && existsSync(hashFile) && readFileSync(hashFile, 'utf8') === hash) return false;
  rmSync(hashFile, { force: true });
  rmSync(output, { recursive: true, force: true });
  const cdk = join(CHECKOUT, 'node_modules/.bin/cdk');
  const command = [process.execPath, cdk, 'synth', '--quiet', '--no-notices', '--output', output];
  const synthesis = runToEnd(command, {
    timeoutSeconds: TIMEOUT_SECONDS,
    environment: {
      HOLDFAST_CONFIG: CONFIGURATION,
      // cdk.json starts `node`: the one that runs us, not an older one of the machine.
      PATH: `${dirname(process.execPath)}:${process.env.PATH ?? ''}`,
      CDK_DEFAULT_ACCOUNT: ACCOUNT_ID,
      CDK_DEFAULT_REGION: REGION,
      // The CLI overwrites CDK_DEFAULT_REGION with the region it finds itself.
      AWS_REGION: REGION,
      CDK_DISABLE_CLI_TELEMETRY: 'true',
    },
  });
  await synthesis.catch(({ stderr, message }: Error & { stderr?: string }) => {
    // Which command it was says nothing to who has to correct the configuration.
    throw new Error(`the system could not be synthesized:\n${stderr || message}`);
  });
  writeAtomically(hashFile, hash);
  return true;
}
