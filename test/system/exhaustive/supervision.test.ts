import { supervisionSuite } from '../supervision-suite.ts';

supervisionSuite('rest');
