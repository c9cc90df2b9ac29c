import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { FAULT_KINDS } from '../../functions/domain/faults/catalogue.ts';
import { parseExperiment } from '../../functions/domain/parse-experiment.ts';
import configuration from '../../lab/holdfast.config.ts';
import { exampleFiles, readPayloads, withExampleTable } from '../../lib/example-table.ts';
import { faultTable } from '../../lib/fault-table.ts';

const ROOT = new URL('../../', import.meta.url);
const read = (path: string) => readFileSync(new URL(path, ROOT), 'utf8');
const examples = exampleFiles(new URL('examples/', ROOT));

describe('docs/faults.md', () => {
  it('is what the kinds say now; `npm run generate` writes it', () => {
    expect(read('docs/faults.md')).toBe(faultTable());
  });

  it('has a payload of every kind that is accepted as it stands', () => {
    const payloads = [...read('docs/faults.md').matchAll(/^```json\n(.*?)\n```$/gms)].map(([, body = '']) => body);
    const parsed = payloads.map((body) => parseExperiment(body, {}));
    expect(parsed.flatMap((result) => (result.ok ? result.experiment.faults[0]?.kind : result.problem))).toEqual(
      FAULT_KINDS,
    );
  });
});

describe('examples/', () => {
  it('are on their page with what they ask for; `npm run generate` writes it', () => {
    const page = read('examples/README.md');
    expect(page).toBe(withExampleTable(page, readPayloads(new URL('examples/', ROOT))));
    for (const name of examples) expect(page).toContain(`\`${name}\``);
    expect(() => withExampleTable('another page', {})).toThrow('examples/README.md');
  });

  it.each(examples)(
    '%s is accepted as it stands, for clusters and nodes of the lab, and under an id of its own',
    (name) => {
      const parsed = parseExperiment(read(`examples/${name}`), {});
      if (!parsed.ok) throw new Error(JSON.stringify(parsed.problem));
      const { experimentId, faults } = parsed.experiment;
      for (const { cluster, impactedNodes } of faults) {
        expect(Object.keys(configuration.clusters)).toContain(cluster);
        for (const node of impactedNodes ?? [])
          expect(node).toMatch(/^(redis-node-([1-9]|1[0-2])|cassandra-node-[1-3])$/);
      }
      const same = examples.filter((other) => JSON.parse(read(`examples/${other}`)).experimentId === experimentId);
      expect(same).toEqual([name]);
    },
  );
});
