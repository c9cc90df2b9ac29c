import { ansiPaint, type Paint, plainPaint } from './render.ts';

/** What `run` needs of a terminal or a log. */
export interface Screen {
  paint: Paint;
  /** True when frames are redrawn in place. */
  live: boolean;
  /** Lines that stay. */
  print(lines: readonly string[]): void;
  /** Replaces the frame drawn before; does nothing on a log. */
  frame(lines: readonly string[]): void;
}

export interface ScreenOutput {
  isTTY?: boolean;
  columns?: number;
  write(text: string): unknown;
}

/** A live screen on a terminal; plain lines everywhere else, and with NO_COLOR or CI set. */
export function createScreen(output: ScreenOutput, environment: Readonly<Record<string, string | undefined>>): Screen {
  const live = output.isTTY === true && !environment.NO_COLOR && !environment.CI;
  if (!live) {
    return {
      paint: plainPaint,
      live,
      print: (lines) => void output.write(lines.map((line) => `${line}\n`).join('')),
      frame: () => undefined,
    };
  }
  let frame: readonly string[] = [];
  const erase = () => (frame.length > 0 ? `\u001b[${frame.length}A\u001b[J` : '');
  // No wrapping while a frame is drawn: a wrapped line would make the count of lines to erase wrong.
  const draw = () => (frame.length > 0 ? `\u001b[?7l${frame.join('\n')}\n\u001b[?7h` : '');
  return {
    paint: ansiPaint,
    live,
    print: (lines) => void output.write(`${erase()}${lines.map((line) => `${line}\n`).join('')}${draw()}`),
    frame: (lines) => {
      const before = erase();
      frame = [...lines];
      output.write(before + draw());
    },
  };
}
