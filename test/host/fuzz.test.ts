import { fuzzParameters, fuzzVerbs } from './fuzz.ts';
import { diskFull } from './kinds/disk-full.ts';
import { networkPartition } from './kinds/network-partition.ts';

// One kind of the packets and one with paths; the others, which are checked by the same code, in the exhaustive tier.
fuzzParameters([networkPartition, diskFull]);
fuzzVerbs([networkPartition]);
