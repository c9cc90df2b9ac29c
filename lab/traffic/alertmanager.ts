import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { LAB_FILES, OWN_FILES, writeAtomically } from '../shared/files.ts';
import { serviceNamed } from '../shared/topology.ts';
import { waitFor } from '../shared/wait-for.ts';
import { PROMETHEUS_NAMESPACE } from './prometheus.ts';

/** An Alertmanager beside Prometheus: the same address, another port. */
export interface Alertmanager {
  name: string;
  port: number;
  /** YAML. */
  configuration: string;
  /** It signs with these. */
  credentials: { accessKeyId: string; secretAccessKey: string };
}

/** @returns the command that runs it in Prometheus's namespace, and its environment. Its state is gone with the lab. */
export function alertmanagerCommand(
  directory: string,
  { name, port, configuration, credentials }: Alertmanager,
): { argv: string[]; namespace: string; environment: Record<string, string> } {
  const [file, storage] = [join(directory, OWN_FILES.alertmanagerConfigurations, `${name}.yml`), `/run/${name}`];
  writeAtomically(file, configuration);
  mkdirSync(storage, { recursive: true });
  return {
    argv: [
      'prometheus-alertmanager',
      `--config.file=${file}`,
      `--storage.path=${storage}`,
      `--web.listen-address=0.0.0.0:${port}`,
      '--cluster.listen-address=',
      '--log.level=warn',
    ],
    namespace: PROMETHEUS_NAMESPACE,
    environment: {
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
      AWS_EC2_METADATA_DISABLED: 'true',
      SSL_CERT_FILE: join(directory, LAB_FILES.caFile),
    },
  };
}

/** @throws Error when it is not ready within 30 s. */
export async function waitForAlertmanager({ name, port }: Pick<Alertmanager, 'name' | 'port'>): Promise<void> {
  const url = `http://${serviceNamed(PROMETHEUS_NAMESPACE).managementAddress}:${port}/-/ready`;
  await waitFor(name, 30, async () => {
    const response = await fetch(url, { signal: AbortSignal.timeout(1000) });
    return response.ok ? undefined : `HTTP ${response.status}`;
  });
}

/** From now on Prometheus sends its alerts to these. */
export function sendAlertsTo(directory: string, ports: readonly number[]): void {
  const targets = ports.map((port) => `127.0.0.1:${port}`);
  writeAtomically(join(directory, OWN_FILES.alertmanagers), JSON.stringify([{ targets }]));
}
