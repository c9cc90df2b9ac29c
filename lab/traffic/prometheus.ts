import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { FLEET_HOSTS } from '../fleet/fleet.ts';
import { OWN_FILES, writeAtomically } from '../shared/files.ts';
import { GATEWAY_PORT, PROMETHEUS_PORT, PROMETHEUS_URL } from '../shared/topology.ts';
import { waitFor } from '../shared/wait-for.ts';
import { addressOf, CONSUMERS, INGESTS } from './consumers.ts';
import { GATEWAYS } from './gateways.ts';
import { STORE_JOB, storeJob } from './store-exporter.ts';

/** Admission needs a baseline: this much of each process, in samples of one second. */
const BASELINE_SAMPLES = 20;
export const PROMETHEUS_NAMESPACE = 'prometheus';

/** Scrapes all of them every second over the management plane, so that no fault on the data plane blinds the guard. */
function prometheusConfiguration(ruleFiles: readonly string[], alertmanagersFile: string): string {
  const job = (name: string, members: readonly { name: string; address: string }[]) => ({
    job_name: name,
    static_configs: members.map((member) => ({ targets: [member.address], labels: { [name]: member.name } })),
  });
  const gateways = GATEWAYS.map(({ name, managementAddress }) => ({
    name,
    address: `${managementAddress}:${GATEWAY_PORT}`,
  }));
  const scraped = (members: typeof CONSUMERS) => members.map((each) => ({ name: each.name, address: addressOf(each) }));
  // JSON is YAML.
  return JSON.stringify({
    global: { scrape_interval: '1s', scrape_timeout: '500ms', evaluation_interval: '1s' },
    rule_files: ruleFiles,
    alerting: { alertmanagers: [{ file_sd_configs: [{ files: [alertmanagersFile] }] }] },
    scrape_configs: [
      job('gateway', gateways),
      ...storeJob(),
      ...(CONSUMERS.length > 0 ? [job('consumer', scraped(CONSUMERS)), job('ingest', scraped(INGESTS))] : []),
    ],
  });
}

/** Whose hosts hold the shard, as hosts are tagged: by that name an experiment knows it. */
const CLUSTER_TAG = 'holdfast-cluster';
const CLUSTER_OF_SHARD = [...new Map(FLEET_HOSTS.map(({ shard, tags }) => [shard, tags[CLUSTER_TAG]]))]
  .map(([shard, cluster]) => `{{ if eq $labels.shard "${shard}" }}${cluster}{{ end }}`)
  .join('');

/** One alert a shard, while its requests end in 5xx. */
const SHARD_FAILING = {
  alert: 'ShardFailing',
  expr: 'sum by (shard) (rate(http_requests_total{code=~"5.."}[5s])) > 0',
  labels: { cluster: CLUSTER_OF_SHARD, severity: 'warning' },
  annotations: { summary: '{{ $labels.shard }}: {{ printf "%.1f" $value }} errors/s' },
};
/** One of a hundred orders waits for more than 200 ms for a worker, or none gets one. */
const ORDERS_LATE = {
  alert: 'OrdersLate',
  expr: [
    'histogram_quantile(0.99, sum by (le) (rate(consumer_lag_seconds_bucket[5s]))) > 0.2',
    'sum(rate(consumer_lag_seconds_count[5s])) == 0',
  ].join(' or '),
};
/** What this team is called for. */
const ALERTING_RULES = {
  groups: [
    { name: 'gateways', rules: [SHARD_FAILING] },
    ...(CONSUMERS.length > 0 ? [{ name: 'consumers', rules: [ORDERS_LATE] }] : []),
  ],
};

interface RuleGroup {
  interval: string;
  rules: { expr: string }[];
}

/**
 * Takes the rules that the stack deploys. A tester may have them evaluated more often than AMP would; then they look back as far
 * as that.
 * @param rules a rules file. @param intervalSeconds absent: as it says there
 */
export function deployRules(directory: string, rules: string, intervalSeconds?: number): void {
  const { groups }: { groups: RuleGroup[] } = parse(rules);
  const hurried = (group: RuleGroup) => ({
    ...group,
    interval: `${intervalSeconds}s`,
    rules: group.rules.map((rule) => ({
      ...rule,
      expr: rule.expr.replaceAll(`[${group.interval}:`, `[${intervalSeconds}s:`),
    })),
  });
  const deployed = { groups: intervalSeconds === undefined ? groups : groups.map(hurried) };
  writeAtomically(join(directory, OWN_FILES.deployedRules), stringify(deployed));
}

/** @returns the command that runs Prometheus in its namespace. After SIGHUP it reads its files again. */
export function prometheusCommand(directory: string): string[] {
  const configuration = join(directory, OWN_FILES.prometheusConfiguration);
  const rules = join(directory, OWN_FILES.prometheusRules);
  writeAtomically(rules, JSON.stringify(ALERTING_RULES));
  const [deployed, alertmanagers] = [
    join(directory, OWN_FILES.deployedRules),
    join(directory, OWN_FILES.alertmanagers),
  ];
  // Of a lab that was here before. They come once the stack is deployed.
  for (const file of [deployed, alertmanagers]) rmSync(file, { force: true });
  writeAtomically(configuration, prometheusConfiguration([rules, deployed], alertmanagers));
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

/** @throws Error when 20 s of samples of everything that is scraped are not there within a minute. */
export async function waitForBaseline(): Promise<void> {
  const all = GATEWAYS.length + CONSUMERS.length + INGESTS.length;
  await waitFor('baseline', 60, async () => {
    const alive = await query(`count(up{job!="${STORE_JOB}"} == 1)`);
    if (alive !== all) return `${alive ?? 0} of ${all} processes scraped`;
    const samples = (await query(`min(sum_over_time(up{job!="${STORE_JOB}"}[60s]))`)) ?? 0;
    return samples >= BASELINE_SAMPLES ? undefined : `${samples} of ${BASELINE_SAMPLES} samples`;
  });
}
