import { join, resolve } from 'node:path';

/** Apart from `.lab`, so that the tests disturb no lab that somebody has up. */
export const SYSTEM_LAB_DIRECTORY = join(resolve(import.meta.dirname, '../..'), '.lab-test');
