import { TTL_SECONDS } from '../timing.ts';
import { optional, together, wholeNumber } from './fields.ts';

/** Of kinds that lose packets: the loss comes and goes. */
export const FLAP = optional(
  together('the loss is there for so long, away for so long, and so on to the end, beginning with it', {
    onSeconds: wholeNumber('how long packets are lost', TTL_SECONDS),
    offSeconds: wholeNumber('how long they pass', TTL_SECONDS),
  }),
  'there all the time',
);

interface Flapping {
  flap?: { onSeconds: number; offSeconds: number } | undefined;
}

/** From when the loss begins to when it comes back, seconds; undefined: it does not flap. */
export function flapPeriodSeconds({ flap }: Flapping): number | undefined {
  return flap && flap.onSeconds + flap.offSeconds;
}
