import { join } from 'node:path';
import { ENGINES } from '../fleet/fleet.ts';
import { OWN_FILES, writeAtomically } from '../shared/files.ts';
import { STORE_EXPORTER_PORT } from '../shared/topology.ts';

/** A probe of each store, from outside, as its answer to one line: `probe_success` is 1 or 0. */
export const STORE_JOB = 'stores';
/** Rarely: the machine is small. A store that hangs takes all of the timeout. */
const SCRAPED = { scrape_interval: '2s', scrape_timeout: '1500ms' };

const ASKED = ENGINES.flatMap(({ hosts, answers }) => (answers ? [{ hosts, answers }] : []));
const moduleOf = (index: number): string => `engine-${index}`;

/** A job of Prometheus; none where no engine of the lab can be asked like that. */
export function storeJob(): object[] {
  if (ASKED.length === 0) return [];
  const targets = ASKED.flatMap(({ hosts, answers }, index) =>
    hosts.map(({ name, dataAddress }) => ({
      targets: [`${dataAddress}:${answers.port}`],
      labels: { node: name, __param_module: moduleOf(index) },
    })),
  );
  const relabeled = [
    { source_labels: ['__address__'], target_label: '__param_target' },
    { source_labels: ['__address__'], target_label: 'instance' },
    { target_label: '__address__', replacement: `127.0.0.1:${STORE_EXPORTER_PORT}` },
  ];
  return [
    { job_name: STORE_JOB, ...SCRAPED, metrics_path: '/probe', static_configs: targets, relabel_configs: relabeled },
  ];
}

/** @returns the command that runs the exporter beside Prometheus; undefined where it has nobody to ask. */
export function storeExporterCommand(directory: string): string[] | undefined {
  if (ASKED.length === 0) return undefined;
  const file = join(directory, OWN_FILES.storeExporter);
  const modules = ASKED.map(({ answers: { send, expect } }, index) => [
    moduleOf(index),
    { prober: 'tcp', tcp: { preferred_ip_protocol: 'ip4', query_response: [{ send }, { expect }] } },
  ]);
  writeAtomically(file, JSON.stringify({ modules: Object.fromEntries(modules) }));
  return [
    'prometheus-blackbox-exporter',
    `--config.file=${file}`,
    `--web.listen-address=127.0.0.1:${STORE_EXPORTER_PORT}`,
    '--log.level=error',
  ];
}
