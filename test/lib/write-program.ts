import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Runs the script of a document up to where it becomes the program. Returns the files it has written, by path. */
export function writeProgram(lines: readonly string[]): Map<string, string> {
  const directory = mkdtempSync(join(tmpdir(), 'program-'));
  try {
    const script = lines
      .map((line) => line.replace('/run/holdfast/program', directory).replace('exec /usr/bin/python3', 'true'))
      .join('\n');
    execFileSync('bash', ['-c', script], { stdio: 'pipe' });
    const [program = ''] = readdirSync(directory);
    const files = readdirSync(join(directory, program), { recursive: true, withFileTypes: true });
    return new Map(
      files
        .filter((file) => file.isFile())
        .map(({ parentPath, name }) => join(parentPath, name))
        .map((path) => [path.slice(join(directory, program, '/').length), readFileSync(path, 'utf8')]),
    );
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
