import { connect } from 'node:net';
import { connect as connectTls } from 'node:tls';

/**
 * Child of observe.ts, run inside a host's network namespace: `observe-probe.ts ADDRESS PORT QUESTION`, with the options of
 * TLS as JSON in OBSERVE_TLS. Connects
 * every 50 ms, sends the question and waits for any answer: a paused process still accepts connections, but says nothing. Prints a JSON line
 * for every change that lasted three samples, with the time of the first of them: one sample lost by a busy machine is
 * no outage. Ends when stdin ends.
 */
const PERIOD_MS = 50;
const DEADLINE_MS = 200;
const SAMPLES_OF_A_CHANGE = 3;

const tls = process.env.OBSERVE_TLS;
const options = tls === undefined ? undefined : JSON.parse(tls);
const [address = '', port = '', question = ''] = process.argv.slice(2);

interface Sample {
  startedAtEpochMs: number;
  reachable?: boolean;
}

/** In the order of their start: a failed sample is known only 200 ms later than the good one that followed it. */
const samples: Sample[] = [];
let last: boolean | undefined;
let change: { atEpochMs: number; reachable: boolean; samples: number } | undefined;

function consider(atEpochMs: number, reachable: boolean): void {
  if (reachable === last) {
    change = undefined;
    return;
  }
  if (change?.reachable !== reachable) change = { atEpochMs, reachable, samples: 0 };
  change.samples += 1;
  if (change.samples < SAMPLES_OF_A_CHANGE) return;
  last = reachable;
  process.stdout.write(`${JSON.stringify({ atEpochMs: change.atEpochMs, reachable })}\n`);
  change = undefined;
}

function report(): void {
  for (let head = samples[0]; head?.reachable !== undefined; head = samples[0]) {
    samples.shift();
    consider(head.startedAtEpochMs, head.reachable);
  }
}

setInterval(() => {
  const sample: Sample = { startedAtEpochMs: Date.now() };
  samples.push(sample);
  const to = { host: address, port: Number(port) };
  const socket = options ? connectTls({ ...options, ...to }) : connect(to);
  const finish = (reachable: boolean) => {
    if (sample.reachable !== undefined) return;
    sample.reachable = reachable;
    clearTimeout(deadline);
    socket.destroy();
    report();
  };
  const deadline = setTimeout(() => finish(false), DEADLINE_MS);
  socket.on(options ? 'secureConnect' : 'connect', () => socket.write(question));
  socket.on('data', () => finish(true));
  socket.on('error', () => finish(false));
  socket.on('close', () => finish(false));
}, PERIOD_MS);

process.stdin.on('end', () => process.exit(0)).resume();
