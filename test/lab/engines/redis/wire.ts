import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** One write of the probe as its packets show it. Milliseconds since the epoch. */
interface WireWrite {
  requestedAtMs: number;
  /** When it was read back. Null: it was not, or no replica had it. */
  answeredAtMs: number | null;
}

export interface Capture {
  stop(): Promise<WireWrite[]>;
}

/** Captures the packets of one experiment's probe that go to this port and come from it: see wire-capture.py. */
export async function captureProbe(experimentId: string, port: number): Promise<Capture> {
  const program = join(import.meta.dirname, 'wire-capture.py');
  const child = spawn('/usr/bin/python3', [program, experimentId, String(port)], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  if ((await lines.next()).value !== 'capturing') throw new Error('nothing is captured');
  return {
    stop: async () => {
      child.stdin.end();
      const { value } = await lines.next();
      return JSON.parse(value ?? '[]') as WireWrite[];
    },
  };
}

/** A client gives a write up after this. */
const PATIENCE_MS = 1000;
/** The probe writes so often: where no request leaves, it has no connection. */
const DUE_EVERY_MS = 50;
/** For so long every write must be sent and answered for an outage to be over. */
const LASTING_MS = 3000;

/**
 * The longest time from the first write that was not answered, or was due and not even sent, to the first answer that
 * lasts. Seconds; 0 without one.
 * @param largestGapMs so much may lie between two requests although the client is well
 */
export function longestOutageSeconds(writes: readonly WireWrite[], largestGapMs: number): number {
  const isAnswered = ({ requestedAtMs, answeredAtMs }: WireWrite) =>
    answeredAtMs !== null && answeredAtMs - requestedAtMs <= PATIENCE_MS;
  const unanswered = writes.filter((write) => !isAnswered(write)).map(({ requestedAtMs }) => requestedAtMs);
  const unsent = writes
    .map(({ requestedAtMs }) => requestedAtMs)
    .filter((atMs, index) => (writes[index + 1]?.requestedAtMs ?? atMs) - atMs > largestGapMs)
    .map((atMs) => atMs + DUE_EVERY_MS);
  const failedAtMs = [...unanswered, ...unsent];
  const lasts = ({ requestedAtMs: fromMs }: WireWrite) =>
    !failedAtMs.some((atMs) => atMs > fromMs && atMs <= fromMs + LASTING_MS);
  const outagesMs = failedAtMs.map((fromMs) => {
    const end = writes.find((write) => write.requestedAtMs > fromMs && isAnswered(write) && lasts(write));
    return (end?.answeredAtMs ?? Number.POSITIVE_INFINITY) - fromMs;
  });
  return Math.max(0, ...outagesMs) / 1000;
}
