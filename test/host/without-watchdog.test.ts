import { cpuSpike } from './kinds/cpu-spike.ts';
import { withoutWatchdog } from './without-watchdog.ts';

withoutWatchdog(cpuSpike);
