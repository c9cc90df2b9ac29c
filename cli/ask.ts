import { UsageError } from './exit-codes.ts';
import type { Screen } from './render-terminal.ts';
import type { World } from './world.ts';

/**
 * One key is the answer, and only `y` is a yes.
 * @param otherwise what to do where there is nobody to ask
 * @throws UsageError where there is no terminal
 */
export async function askYesNo(
  question: string,
  otherwise: string,
  { stdin }: Pick<World, 'stdin'>,
  screen: Screen,
): Promise<boolean> {
  if (!screen.isTerminal || stdin.isTTY !== true || stdin.setRawMode === undefined) {
    throw new UsageError(`there is no terminal to ask on: ${otherwise}`);
  }
  screen.ask(`${question} [y/N]`);
  stdin.setRawMode(true);
  try {
    return await new Promise<boolean>((resolve) => {
      const onKey = (key: Buffer): void => {
        stdin.off('data', onKey);
        resolve(/^y/i.test(key.toString('utf8')));
      };
      stdin.on('data', onKey);
      stdin.resume();
    });
  } finally {
    stdin.setRawMode(false);
    stdin.pause();
    screen.ask(undefined);
  }
}
