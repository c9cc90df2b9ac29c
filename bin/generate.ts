/** `npm run generate`: writes the files that are made from the code and kept in the repository. */
import { writeFileSync } from 'node:fs';
import { faultTable } from '../lib/fault-table.ts';
import { BOUNDS_FILE, hostBounds } from '../lib/host-bounds.ts';

const write = (path: string, content: string) => writeFileSync(new URL(`../${path}`, import.meta.url), content);

write('docs/faults.md', faultTable());
write(`host/${BOUNDS_FILE}`, hostBounds());
