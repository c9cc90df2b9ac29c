import { afterEach } from 'vitest';
import { asleep } from './asleep.ts';

/** Simulated time passes at once, so that a loop which a test has left running would take a processor from all that follow. */
afterEach(() => {
  for (const clock of asleep) clock.abandonSleepers();
});
