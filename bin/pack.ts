/**
 * `npm run pack [DIRECTORY]`: the command as one tarball without dependencies, `dist/holdfast-<version>.tgz`, which `npx` and
 * `npm install` take.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { build } from 'esbuild';
import manifest from '../package.json' with { type: 'json' };

const CHECKOUT = join(import.meta.dirname, '..');
const DIST = resolve(CHECKOUT, process.argv[2] ?? 'dist');
const PACKAGE = join(DIST, 'package');
const npm = process.env.npm_execpath;
if (npm === undefined) throw new Error('run it with `npm run pack`');

rmSync(PACKAGE, { recursive: true, force: true });
mkdirSync(PACKAGE, { recursive: true });
await build({
  entryPoints: [join(CHECKOUT, 'bin/holdfast.ts')],
  outdir: PACKAGE,
  bundle: true,
  platform: 'node',
  target: 'node20',
  // The modules of libraries that have both: what nobody calls stays out.
  mainFields: ['module', 'main'],
  format: 'esm',
  outExtension: { '.js': '.mjs' },
  // What is imported while it is needed stays apart, so that the command starts without it.
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
const { name, version, description, license, engines } = manifest;
const packed = { name, version, description, license, type: 'module', engines, bin: { holdfast: 'holdfast.mjs' } };
writeFileSync(join(PACKAGE, 'package.json'), `${JSON.stringify(packed, null, 2)}\n`);
copyFileSync(join(CHECKOUT, 'LICENSE'), join(PACKAGE, 'LICENSE'));
copyFileSync(join(CHECKOUT, 'docs/command.md'), join(PACKAGE, 'README.md'));
execFileSync(process.execPath, [npm, 'pack', '--silent', '--offline', '--pack-destination', DIST, PACKAGE], {
  stdio: ['ignore', 'inherit', 'inherit'],
});
