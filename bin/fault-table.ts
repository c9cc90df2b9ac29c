/** `npm run docs`: writes docs/faults.md. */
import { writeFileSync } from 'node:fs';
import { faultTable } from '../lib/fault-table.ts';

writeFileSync(new URL('../docs/faults.md', import.meta.url), faultTable());
