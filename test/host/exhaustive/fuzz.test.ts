import { fuzzParameters, fuzzVerbs } from '../fuzz.ts';
import { KIND_CASES } from '../kinds/index.ts';
import { networkPartition } from '../kinds/network-partition.ts';

fuzzParameters(KIND_CASES);
fuzzVerbs(KIND_CASES.filter((kind) => kind !== networkPartition));
