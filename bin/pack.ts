/**
 * `npm run pack [DIRECTORY]`: the command as one tarball without dependencies, `dist/holdfast-<version>.tgz`, which `npx` and
 * `npm install` take.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import manifest from '../package.json' with { type: 'json' };
import { bundleCommand } from './bundle-command.ts';

const CHECKOUT = join(import.meta.dirname, '..');
const DIST = resolve(CHECKOUT, process.argv[2] ?? 'dist');
const PACKAGE = join(DIST, 'package');
const npm = process.env.npm_execpath;
if (npm === undefined) throw new Error('run it with `npm run pack`');

rmSync(PACKAGE, { recursive: true, force: true });
mkdirSync(PACKAGE, { recursive: true });
const file = await bundleCommand(PACKAGE);
const { name, version, description, license, engines } = manifest;
const packed = { name, version, description, license, type: 'module', engines, bin: { holdfast: basename(file) } };
writeFileSync(join(PACKAGE, 'package.json'), `${JSON.stringify(packed, null, 2)}\n`);
copyFileSync(join(CHECKOUT, 'LICENSE'), join(PACKAGE, 'LICENSE'));
copyFileSync(join(CHECKOUT, 'docs/command.md'), join(PACKAGE, 'README.md'));
execFileSync(process.execPath, [npm, 'pack', '--silent', '--offline', '--pack-destination', DIST, PACKAGE], {
  stdio: ['ignore', 'inherit', 'inherit'],
});
