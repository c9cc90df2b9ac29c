import { fuzzScript } from '../fuzz.ts';
import { KIND_CASES } from '../kinds/index.ts';
import { networkPartition } from '../kinds/network-partition.ts';

fuzzScript(KIND_CASES.filter((kind) => kind !== networkPartition));
