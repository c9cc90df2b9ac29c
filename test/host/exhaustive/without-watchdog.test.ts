import { diskFull } from '../kinds/disk-full.ts';
import { diskIo } from '../kinds/disk-io.ts';
import { memoryPressure } from '../kinds/memory-pressure.ts';
import { processPause } from '../kinds/process-pause.ts';
import { withoutWatchdog } from '../without-watchdog.ts';

for (const kind of [memoryPressure, diskFull, diskIo, processPause]) withoutWatchdog(kind);
