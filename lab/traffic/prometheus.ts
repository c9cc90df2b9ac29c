import { join } from 'node:path';
import { OWN_FILES, writeAtomically } from '../shared/files.ts';
import { GATEWAY_PORT, PROMETHEUS_PORT, serviceNamed } from '../shared/topology.ts';
import { waitFor } from '../shared/wait-for.ts';
import { GATEWAYS } from './gateways.ts';

/** Admission needs a baseline: this much of both gateways, in samples of one second. */
const BASELINE_SAMPLES = 20;
const NAMESPACE = 'prometheus';

/** Base URL inside the lab, on the management plane. */
export const PROMETHEUS_URL = `http://${serviceNamed(NAMESPACE).managementAddress}:${PROMETHEUS_PORT}`;

/** Scrapes both gateways every second over the management plane, so that no fault on the data plane blinds the guard. */
function prometheusConfiguration(rulesFile: string): string {
  const targets = GATEWAYS.map((gateway) => ({
    targets: [`${gateway.managementAddress}:${GATEWAY_PORT}`],
    labels: { gateway: gateway.name },
  }));
  // JSON is YAML.
  return JSON.stringify({
    global: { scrape_interval: '1s', scrape_timeout: '500ms', evaluation_interval: '1s' },
    rule_files: [rulesFile],
    scrape_configs: [{ job_name: 'gateway', static_configs: targets }],
  });
}

/** What this team is called for: one alert a shard, while its requests end in 5xx. */
const ALERTING_RULES = {
  groups: [
    {
      name: 'gateways',
      rules: [{ alert: 'ShardFailing', expr: 'sum by (shard) (rate(http_requests_total{code=~"5.."}[5s])) > 0' }],
    },
  ],
};

/** @returns the command that runs Prometheus in its namespace. */
export function prometheusCommand(directory: string): string[] {
  const configuration = join(directory, OWN_FILES.prometheusConfiguration);
  const rules = join(directory, OWN_FILES.prometheusRules);
  writeAtomically(rules, JSON.stringify(ALERTING_RULES));
  writeAtomically(configuration, prometheusConfiguration(rules));
  return [
    'prometheus',
    `--config.file=${configuration}`,
    `--storage.tsdb.path=${STORAGE_DIRECTORY}`,
    '--storage.tsdb.retention.time=2h',
    `--web.listen-address=0.0.0.0:${PROMETHEUS_PORT}`,
    // The default serves a dead series for five minutes as if it were alive.
    '--query.lookback-delta=5s',
    '--query.timeout=2s',
    '--log.level=warn',
  ];
}

/** Below the lab's private /run: gone with the lab. */
const STORAGE_DIRECTORY = '/run/prometheus';

async function query(expression: string): Promise<number | undefined> {
  const url = `${PROMETHEUS_URL}/api/v1/query?query=${encodeURIComponent(expression)}`;
  const response = await fetch(url, { signal: AbortSignal.timeout(2000) });
  const body = (await response.json()) as { data?: { result?: { value?: [number, string] }[] } };
  const value = body.data?.result?.[0]?.value?.[1];
  return value === undefined ? undefined : Number(value);
}

/** @throws Error when Prometheus does not answer within 30 s. */
export async function waitForPrometheus(): Promise<void> {
  await waitFor('Prometheus', 30, async () => {
    const response = await fetch(`${PROMETHEUS_URL}/-/ready`, { signal: AbortSignal.timeout(1000) });
    return response.ok ? undefined : `HTTP ${response.status}`;
  });
}

/** @throws Error when 20 s of samples of every gateway are not there within a minute. */
export async function waitForBaseline(): Promise<void> {
  await waitFor('baseline', 60, async () => {
    const alive = await query('count(up{job="gateway"} == 1)');
    if (alive !== GATEWAYS.length) return `${alive ?? 0} of ${GATEWAYS.length} gateways scraped`;
    const samples = (await query('min(sum_over_time(up{job="gateway"}[60s]))')) ?? 0;
    return samples >= BASELINE_SAMPLES ? undefined : `${samples} of ${BASELINE_SAMPLES} samples`;
  });
}
