/** `npm run generate`: writes the files that are made from the code and kept in the repository. */
import { writeFileSync } from 'node:fs';
import { HOST_FAULT_KINDS } from '../functions/domain/faults/catalogue.ts';
import { faultTable } from '../lib/fault-table.ts';
import { BOUNDS_FILE, hostBounds } from '../lib/host-bounds.ts';
import { hostSpecification, SPECIFICATION_FILE } from '../lib/host-specification.ts';

const write = (path: string, content: string) => writeFileSync(new URL(`../${path}`, import.meta.url), content);

write('docs/faults.md', faultTable());
write(`host/${BOUNDS_FILE}`, hostBounds());
write(`host/${SPECIFICATION_FILE}`, hostSpecification(HOST_FAULT_KINDS));
