import { clockDrift } from '../host/kinds/clock-drift.ts';
import { guestSafetySuite } from './safety.ts';

guestSafetySuite(clockDrift, 'change');
