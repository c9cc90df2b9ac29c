import { readdirSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

/** The line of `run-command.sh` that is replaced by the files of the program. */
export const PLACEHOLDER = '#@FILES@';
const DELIMITER = 'HOLDFAST_END_OF_FILE';

/**
 * One script that writes the host program and runs it: `run-command.sh` with its placeholder line replaced by a quoted
 * heredoc a file, so that a host needs nothing but what its image has and nothing is downloaded.
 *
 * @param hostDirectory absolute path of `host/`, with a trailing slash.
 * @param faultScripts names below `host/faults/` to carry, without `.sh`.
 * @throws Error when the placeholder is missing or a file cannot be carried unchanged.
 */
export function composeProgram(hostDirectory: string, faultScripts: readonly string[]): string[] {
  const files = [
    ...listFiles(hostDirectory, '', /^(?!run-command\.sh$)[^.].*\.(py|sh)$/),
    ...listFiles(hostDirectory, 'fences/', /^[^.].*\.(py|sh)$/),
    ...faultScripts.map((script) => `faults/${script}.sh`),
  ];
  const lines = readFileSync(`${hostDirectory}run-command.sh`, 'utf8').trimEnd().split('\n');
  const position = lines.indexOf(PLACEHOLDER);
  if (position < 0) throw new Error(`host/run-command.sh has no line ${PLACEHOLDER}`);
  const heredocs = files.flatMap((file) => carry(file, readFileSync(`${hostDirectory}${file}`)));
  return [...lines.slice(0, position), ...heredocs, ...lines.slice(position + 1)];
}

function listFiles(hostDirectory: string, folder: string, pattern: RegExp): string[] {
  return readdirSync(`${hostDirectory}${folder}`, { withFileTypes: true })
    .filter((entry) => entry.isFile() && pattern.test(entry.name))
    .map((entry) => `${folder}${entry.name}`)
    .sort();
}

/**
 * Shell scripts, which touch the host, stand in the document as they are, to be read where they run. The Python
 * modules are packed: together they would not fit into the 64 KB of a document.
 */
function carry(file: string, content: Buffer): string[] {
  if (file.endsWith('.py')) return heredoc(`base64 -d <<'${DELIMITER}' | gzip -dc > ${file}`, pack(content));
  const text = content.toString('utf8').replace(/\n$/, '');
  // `{{` would be read by SSM as one of its own parameters, inside or outside of quotes.
  if (text.includes('{{')) throw new Error(`host/${file} contains "{{", which SSM would try to interpolate`);
  const lines = text.split('\n');
  if (lines.includes(DELIMITER)) throw new Error(`host/${file} contains the heredoc delimiter ${DELIMITER}`);
  return heredoc(`cat <<'${DELIMITER}' > ${file}`, lines);
}

function heredoc(command: string, lines: readonly string[]): string[] {
  return [command, ...lines, DELIMITER];
}

/** The same bytes for the same content: gzip's time stamp is zero. */
function pack(content: Buffer): string[] {
  return (
    gzipSync(content, { level: 9 })
      .toString('base64')
      .match(/.{1,76}/g) ?? []
  );
}
