import { Command, CommanderError } from 'commander';
import type { ApiClient } from './api-client.ts';
import { type ConnectionOptions, createClientFrom } from './connection.ts';
import { CommandError, EXIT, EXIT_CODES, message } from './exit-codes.ts';
import { printable } from './render.ts';
import { createScreen, type Screen } from './render-terminal.ts';
import type { World } from './world.ts';

/** Adds one subcommand. */
export type AddCommand = (program: Command, world: World) => void;

/** The program without its subcommands; `version` is that of the package. */
export function createProgram(version: string, world: World, commands: readonly AddCommand[]): Command {
  const program = new Command('holdfast')
    .description('Runs chaos experiments: a fault lives only while someone is watching it.')
    .version(version)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void world.stdout.write(text),
      writeErr: (text) => void world.stderr.write(text),
    })
    .showHelpAfterError('(--help shows what there is)')
    .addHelpText(
      'after',
      `\nExit codes:\n${EXIT_CODES.map(([code, words]) => `  ${String(code).padStart(2)}  ${words}`).join('\n')}`,
    );
  for (const add of commands) add(program, world);
  return program;
}

/** Runs it, and turns every error into a message, an exit code, and with `--json` the one document. */
export async function runProgram(program: Command, argv: readonly string[], world: World): Promise<void> {
  try {
    await program.parseAsync(argv, { from: 'user' });
  } catch (error) {
    const exitCode = exitCodeOfError(error);
    world.exit(exitCode);
    if (exitCode === 0) return;
    // Commander has said it already.
    if (!(error instanceof CommanderError)) {
      for (const line of message(error).split('\n')) world.stderr.write(`holdfast: ${printable(line)}\n`);
    } else if (error.code === 'commander.missingArgument' && argv.includes('--lab')) {
      world.stderr.write('(--lab takes the word after it as its directory: write it last)\n');
    }
    if (argv.includes('--json'))
      world.stdout.write(`${JSON.stringify({ error: message(error), exitCode }, null, 2)}\n`);
  }
}

function exitCodeOfError(error: unknown): number {
  if (error instanceof CommandError) return error.exitCode;
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT.usage;
  return EXIT.internal;
}

/** For a subcommand that asks the API. */
export function withConnection(command: Command): Command {
  return command
    .option(
      '--url <url>',
      "the API with its stage (default: HOLDFAST_URL); signed with AWS's standard credential chain",
    )
    .option('--profile <name>', "a profile of AWS's shared configuration (default: AWS_PROFILE)")
    .option('--region <region>', 'region of the API (default: that of its host name, else AWS_REGION)')
    .option('--lab [directory]', 'a lab that is up, instead of AWS; write it last (default directory: .lab)')
    .option('--json', 'one JSON document on stdout, everything else on stderr', false);
}

export interface ApiOptions extends ConnectionOptions {
  json: boolean;
}

/** What a subcommand that asks the API works with. */
export interface Session {
  client: ApiClient;
  screen: Screen;
  /** The one document of `--json`; does nothing without. */
  writeDocument(document: unknown): void;
}

/**
 * Runs an action with a connection, and ends the process with the code it gives back.
 * @throws what `act` throws; an error that no part of ours made means that the API could not be asked.
 */
export async function withSession(
  options: ApiOptions,
  world: World,
  act: (session: Session) => Promise<number>,
): Promise<void> {
  const client = unavailableOnError(createClientFrom(options, world.environment));
  try {
    world.exit(await act({ client, ...outputOf(options, world) }));
  } finally {
    client.close();
  }
}

export function outputOf({ json }: Pick<ApiOptions, 'json'>, world: World): Omit<Session, 'client'> {
  return {
    screen: createScreen(json ? world.stderr : world.stdout, world.environment),
    writeDocument: (document) => {
      if (json) world.stdout.write(`${JSON.stringify(document, null, 2)}\n`);
    },
  };
}

function unavailableOnError(client: ApiClient): ApiClient {
  return {
    close: () => client.close(),
    call: async (...request) => {
      try {
        return await client.call(...request);
      } catch (error) {
        if (error instanceof CommandError) throw error;
        throw new CommandError(EXIT.unavailable, `the API could not be asked: ${message(error)}`, error);
      }
    },
  };
}
