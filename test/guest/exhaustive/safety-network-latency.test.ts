import { networkLatency } from '../../host/kinds/network-latency.ts';
import { guestSafetySuite } from '../safety.ts';

guestSafetySuite({ ...networkLatency, withoutWorker: true }, 'rest');
