import { leashSuite } from '../leash-suite.ts';

leashSuite('rest');
