import { recordNodes } from '../fleet/fleet.ts';
import { METRICS_PORT, serviceNamed } from '../shared/topology.ts';
import { waitFor } from '../shared/wait-for.ts';

/** A process that serves nothing but metrics. */
interface Scraped {
  name: string;
  /** Namespace that it runs in. */
  namespace: string;
  port: number;
}

const hasRecords = recordNodes().length > 0;

/** Members of the group that takes orders; none where no engine keeps records, as with ingest. */
export const CONSUMERS: readonly Scraped[] = (hasRecords ? [1, 2, 3] : []).map((number) => ({
  name: `consumer-${number}`,
  namespace: 'consumers',
  port: METRICS_PORT + number,
}));

export const INGESTS: readonly Scraped[] = hasRecords
  ? [{ name: 'ingest', namespace: 'ingest', port: METRICS_PORT }]
  : [];

/** On the management plane. */
export function addressOf({ namespace, port }: Scraped): string {
  return `${serviceNamed(namespace).managementAddress}:${port}`;
}

/** To join, each member waits for the next heartbeat of the others. */
const READY_TIMEOUT_SECONDS = 45;

/** Every member has partitions and has written receipts. @throws Error with the first that has not */
export async function waitForConsumers(): Promise<void> {
  await Promise.all(
    CONSUMERS.map((consumer) =>
      waitFor(consumer.name, READY_TIMEOUT_SECONDS, async () => {
        const response = await fetch(`http://${addressOf(consumer)}/metrics`, { signal: AbortSignal.timeout(1000) });
        return consumerProblem(await response.text());
      }),
    ),
  );
}

/** @param exposed its metrics. */
export function consumerProblem(exposed: string): string | undefined {
  const value = (series: string) =>
    Number(
      exposed
        .split('\n')
        .find((line) => line.startsWith(`${series} `))
        ?.slice(series.length + 1) ?? 0,
    );
  if (value('consumer_assigned_partitions') === 0) return 'no partition is assigned';
  return value('consumer_records_total{result="processed"}') === 0 ? 'no receipt was written' : undefined;
}
