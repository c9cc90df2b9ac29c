import { ansiPaint, type Paint, plainPaint } from './render.ts';

/** What is needed of a terminal or a log. */
export interface Screen {
  paint: Paint;
  /** True when frames are redrawn in place. */
  live: boolean;
  /** True when a person may be looking. */
  isTerminal: boolean;
  /** Lines that stay. */
  print(lines: readonly string[]): void;
  /** Replaces the frame drawn before; does nothing on a log. */
  frame(lines: readonly string[]): void;
  /** A question below the frame until it is taken away with undefined. */
  ask(question: string | undefined): void;
}

export interface ScreenOutput {
  isTTY?: boolean;
  rows?: number;
  write(text: string): unknown;
}

/** A live screen on a terminal, without colours where NO_COLOR is set; plain lines on everything else, and in CI. */
export function createScreen(output: ScreenOutput, environment: Readonly<Record<string, string | undefined>>): Screen {
  const isTerminal = output.isTTY === true;
  if (!isTerminal || environment.CI || environment.TERM === 'dumb') {
    const print = (lines: readonly string[]): void => void output.write(lines.map((line) => `${line}\n`).join(''));
    return {
      ...{ paint: plainPaint, live: false, isTerminal, print },
      frame: () => undefined,
      ask: (question) => {
        if (question !== undefined) print([question]);
      },
    };
  }
  const paint = environment.NO_COLOR ? plainPaint : ansiPaint;
  let frame: readonly string[] = [];
  let question: string | undefined;
  let drawn = 0;
  const erase = () => (drawn > 0 ? `\u001b[${drawn}A\u001b[J` : '');
  const draw = () => {
    const lines = fitted([...frame, ...(question === undefined ? [] : [paint('bold', question)])], output.rows);
    drawn = lines.length;
    // No wrapping while a frame is drawn: a wrapped line would make the count of lines to erase wrong.
    return drawn > 0 ? `\u001b[?7l${lines.join('\n')}\n\u001b[?7h` : '';
  };
  const redraw = (lines: readonly string[] = []): void => {
    const before = erase();
    output.write(before + lines.map((line) => `${line}\n`).join('') + draw());
  };
  return {
    ...{ paint, live: true, isTerminal, print: redraw },
    frame: (lines) => {
      frame = [...lines];
      redraw();
    },
    ask: (text) => {
      question = text;
      redraw();
    },
  };
}

/** What scrolled out of the screen cannot be erased again. The last line stays: it may be a question. */
function fitted(lines: readonly string[], rows: number | undefined): readonly string[] {
  // A terminal that does not know its size says 0.
  const room = rows ? Math.max(2, rows - 1) : Number.POSITIVE_INFINITY;
  if (lines.length <= room) return lines;
  return [...lines.slice(0, room - 2), `  … ${lines.length - room + 1} more`, ...lines.slice(-1)];
}
