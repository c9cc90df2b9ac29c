/** `npm run generate`: writes the files that are made from the code and kept in the repository. */
import { readFileSync, writeFileSync } from 'node:fs';
import { experimentSchema, SCHEMA_FILE } from '../cli/experiment-schema.ts';
import { HOST_FAULT_KINDS } from '../functions/domain/faults/catalogue.ts';
import { EXAMPLE_FILE, exampleConfiguration } from '../lib/alertmanager-configuration.ts';
import { EVENT_SCHEMA_FILE, eventSchema } from '../lib/event-schema.ts';
import { readPayloads, withExampleTable } from '../lib/example-table.ts';
import { faultTable } from '../lib/fault-table.ts';
import { BOUNDS_FILE, hostBounds } from '../lib/host-bounds.ts';
import { hostSpecification, SPECIFICATION_FILE } from '../lib/host-specification.ts';

const ROOT = new URL('../', import.meta.url);
const write = (path: string, content: string) => writeFileSync(new URL(path, ROOT), content);
const read = (path: string) => readFileSync(new URL(path, ROOT), 'utf8');

write('docs/faults.md', faultTable());
write('examples/README.md', withExampleTable(read('examples/README.md'), readPayloads(new URL('examples/', ROOT))));
write(EXAMPLE_FILE, exampleConfiguration());
write(`host/${BOUNDS_FILE}`, hostBounds());
write(`host/${SPECIFICATION_FILE}`, hostSpecification(HOST_FAULT_KINDS));
write(EVENT_SCHEMA_FILE, `${JSON.stringify(eventSchema(), null, 2)}\n`);
write(SCHEMA_FILE, `${JSON.stringify(experimentSchema(), null, 2)}\n`);
