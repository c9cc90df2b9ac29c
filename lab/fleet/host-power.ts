import { connect } from 'node:net';
import { powerSocket } from '../shared/files.ts';
import type { LabHost } from './engine.ts';

/** A unit that has not ended by itself this long after SIGTERM is killed. */
export const UNIT_STOP_SECONDS = 15;
/** Two units one after the other, and what a busy machine adds. */
const TIMEOUT_MS = (2 * UNIT_STOP_SECONDS + 10) * 1000;

/** Stops and starts hosts like machines, through the first process of each. */
export function hostPower(directory: string): {
  stop(host: LabHost): Promise<void>;
  start(host: LabHost): Promise<void>;
} {
  return {
    stop: (host) => press(powerSocket(directory, host.name), 'stop'),
    start: (host) => press(powerSocket(directory, host.name), 'start'),
  };
}

function press(path: string, verb: 'stop' | 'start'): Promise<void> {
  return new Promise((done, fail) => {
    let answer = '';
    const socket = connect(path, () => socket.write(`${verb}\n`));
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error(`${path}: no answer to ${verb}`)));
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      answer += chunk;
    });
    socket.once('error', fail);
    socket.once('close', () => {
      if (answer === 'ok\n') done();
      else fail(new Error(`${path}: ${verb} answered ${JSON.stringify(answer)}`));
    });
  });
}
