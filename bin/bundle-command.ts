import { join } from 'node:path';
import { build } from 'esbuild';

const ENTRY = join(import.meta.dirname, 'holdfast.ts');

/** Writes the command as plain JavaScript that needs nothing but Node. @returns the file to run */
export async function bundleCommand(directory: string): Promise<string> {
  await build({
    entryPoints: [ENTRY],
    outdir: directory,
    bundle: true,
    platform: 'node',
    target: 'node20',
    // The modules of libraries that have both: what nobody calls stays out.
    mainFields: ['module', 'main'],
    format: 'esm',
    outExtension: { '.js': '.mjs' },
    // What is imported when it is needed stays apart, so that the command starts without it.
    splitting: true,
    chunkNames: 'parts/[name]-[hash]',
    minify: true,
    legalComments: 'linked',
    logLevel: 'warning',
    // Of the libraries some are CommonJS and call this for the modules of Node.
    banner: {
      js: "import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url);",
    },
  });
  return join(directory, 'holdfast.mjs');
}
