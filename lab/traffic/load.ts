import { createWriteStream, mkdirSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { join } from 'node:path';
import { z } from 'zod';
import { loadBeside } from '../fleet/fleet.ts';
import { OWN_FILES } from '../shared/files.ts';
import { createOpenLoop } from './open-loop.ts';
import { ROUTING } from './routing.ts';

/**
 * The lab's users: an open loop of RATE requests a second (1,000, less where there are several engines) over all TARGETS
 * (comma list of base URLs, taken in turn). One line a second goes to `<LAB_DIRECTORY>/log/load.log`.
 */
const environment = z
  .object({
    TARGETS: z.string().transform((list, context) => {
      const targets = list.split(',').filter((target) => URL.canParse(target));
      if (targets.length === 0) context.addIssue('a comma list of base URLs');
      return targets.map((target) => new URL(target));
    }),
    RATE: z.coerce.number().positive().max(20_000).default(loadBeside(1_000)),
    LAB_DIRECTORY: z.string().min(1),
  })
  .parse(process.env);

const TURN_MS = 5;
/** Requests without an answer; more arrivals are dropped and counted, or a dead gateway would eat the memory. */
const MAX_IN_FLIGHT = 1_000;
const REQUEST_TIMEOUT_MS = 2_000;
/** Keys are reused, so that the store does not grow. */
const KEYS = 10_000;

const agent = new Agent({ keepAlive: true, maxSockets: MAX_IN_FLIGHT, scheduling: 'lifo' });
const counts = { sent: 0, answered: 0, serverErrors: 0, failed: 0, dropped: 0 };
let inFlight = 0;

function send(n: number): void {
  const target = environment.TARGETS[n % environment.TARGETS.length];
  if (target === undefined) return;
  inFlight += 1;
  counts.sent += 1;
  const { lane, isRead } = ROUTING.requestOf(n);
  const outgoing = request(
    {
      agent,
      host: target.hostname,
      port: target.port || 80,
      method: isRead ? 'GET' : 'POST',
      path: `/${isRead ? 'read' : 'write'}?shard=${lane}&key=load:${n % KEYS}`,
      headers: isRead ? {} : { 'content-length': 0 },
      timeout: REQUEST_TIMEOUT_MS,
    },
    (response) => {
      counts.answered += 1;
      if ((response.statusCode ?? 500) >= 500) counts.serverErrors += 1;
      response.resume();
    },
  );
  outgoing.on('timeout', () => outgoing.destroy(new Error('timed out')));
  outgoing.on('error', () => {
    counts.failed += 1;
  });
  outgoing.on('close', () => {
    inFlight -= 1;
  });
  outgoing.end();
}

const logDirectory = join(environment.LAB_DIRECTORY, OWN_FILES.log);
mkdirSync(logDirectory, { recursive: true });
const log = createWriteStream(join(logDirectory, 'load.log'), { flags: 'a' });
const loop = createOpenLoop(environment.RATE, performance.now());
let next = 0;

setInterval(() => {
  for (let due = loop.due(performance.now()); due > 0; due -= 1) {
    // Only sent requests are numbered: a dropped one must not take the canary's turn.
    if (inFlight < MAX_IN_FLIGHT) send(next++);
    else counts.dropped += 1;
  }
}, TURN_MS);
setInterval(() => {
  log.write(`${JSON.stringify({ at: new Date().toISOString(), ...counts, skipped: loop.skipped(), inFlight })}\n`);
}, 1_000);
