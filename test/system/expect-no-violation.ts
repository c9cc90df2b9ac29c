import { afterAll, expect } from 'vitest';
import { readViolations } from '../../lab/shared/files.ts';
import { SYSTEM_LAB_DIRECTORY } from './directory.ts';

/** In every file of the system tests: nothing was said to the lab, or by it, that AWS would not know. */
afterAll(() => expect(readViolations(SYSTEM_LAB_DIRECTORY)).toEqual([]));
