#!/usr/bin/env node
import { COMMANDS } from '../cli/commands.ts';
import { createProgram, runProgram } from '../cli/program.ts';
import { systemWorld } from '../cli/world.ts';
import manifest from '../package.json' with { type: 'json' };

const world = systemWorld();
await runProgram(createProgram(manifest.version, world, COMMANDS), process.argv.slice(2), world);
