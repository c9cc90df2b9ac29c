import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Architecture, Function as LambdaFunction, Runtime } from 'aws-cdk-lib/aws-lambda';
import { afterAll, expect, it } from 'vitest';
import { bundle } from '../../lib/bundle.ts';

const directory = mkdtempSync(join(tmpdir(), 'holdfast-bundle-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));
const configurationFile = join(directory, 'configuration.mjs');
writeFileSync(configurationFile, "export default { mark: 'configuration-of-the-test' };");

/** It bundles in a process of its own, which shares the machine with what `npm test` prepares meanwhile. */
const BUNDLING_TIMEOUT_MS = 90_000;
/** Not all that there are: every lab bundles those. */
const ENTRIES = ['guard/guard.lambda.ts', 'rollback/sweep.lambda.ts'];

/** The bundles of these entry points as they would be deployed. */
function synthesize(entries: readonly string[]): string[] {
  const app = new App({ outdir: mkdtempSync(join(directory, 'cdk.out-')) });
  const stack = new Stack(app, 'Bundles');
  for (const [index, entry] of entries.entries()) {
    new LambdaFunction(stack, `Function${index}`, {
      code: bundle(entry, configurationFile, [], ENTRIES),
      handler: 'index.handler',
      runtime: Runtime.NODEJS_24_X,
      architecture: Architecture.ARM_64,
    });
  }
  const { template } = app.synth().getStackByName('Bundles');
  return entries.map((_, index) => {
    const resources: [string, { Properties: { Code?: { S3Key: string } } }][] = Object.entries(template.Resources);
    const key = resources.find(([id]) => id.startsWith(`Function${index}`) && !id.includes('Role'))?.[1].Properties.Code
      ?.S3Key;
    return readFileSync(join(app.outdir, `asset.${key?.replace('.zip', '')}`, 'index.mjs'), 'utf8');
  });
}

it(
  'gives every function its own code, and the configuration it was synthesized with',
  () => {
    const [guard = '', sweep = ''] = synthesize(ENTRIES);
    for (const code of [guard, sweep]) expect(code).toMatch(/export\{[^}]*\bas handler\b/);
    expect(guard).not.toBe(sweep);
    expect(guard).toContain('GuardrailBreached');
    expect(guard).toContain('configuration-of-the-test');
  },
  BUNDLING_TIMEOUT_MS,
);

it('refuses an entry point that does not exist', () => {
  expect(() =>
    bundle('guard/nothing.lambda.ts', configurationFile, [], ENTRIES).bind(new Stack(new App(), 'None')),
  ).toThrow(/guard\/nothing\.lambda\.ts/);
});
