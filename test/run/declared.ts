import { type ChildProcess, spawn } from 'node:child_process';

const DECLARED = new URL('../commands/declared.sh', import.meta.url).pathname;

/** Starts a command where no other commands are found than those that lab/commands.txt declares. */
export function inDeclared(
  where: string,
  command: string[],
  output: 'inherit' | 'pipe',
  environment: Record<string, string> = {},
): ChildProcess {
  return spawn('sh', [DECLARED, where, ...command], {
    stdio: [output === 'pipe' ? 'pipe' : 'ignore', output, output],
    env: { ...process.env, ...environment },
  });
}

/** Its exit code. */
export function end(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 1));
  });
}

/** All that it says. */
export function text(child: ChildProcess): Promise<string> {
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (chunk) => {
      said += chunk;
    });
  return end(child).then(() => said);
}
