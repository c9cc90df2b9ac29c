import { leashSuite } from './leash-suite.ts';

leashSuite('change');
