import { DELAY_WORKER as LIMITS } from '../functions/domain/faults/network-latency.ts';
import { type Provenance, provenanceText } from './provenance.ts';
import { DELAY_WORKER } from './sections.ts';

/** What bench/delay_worker_rate.py says of one rate. */
export interface DelayedRate {
  packetsPerSecond: number;
  jitterMs: number;
  lost: number;
  overtaken: number;
  p50Ms: number;
  /** Beyond the latency, give or take the jitter, that was asked for. */
  p99BeyondMs: number;
  maxBeyondMs: number;
  corePct: number;
}

/** More than this, or a packet lost or overtaken, and the rate is not carried. */
const MOST_BEYOND_MS = 5;

export function renderDelayWorker({ rates, ...provenance }: Provenance & { rates: readonly DelayedRate[] }): string {
  const all = [...new Set(rates.map(({ packetsPerSecond }) => packetsPerSecond))];
  const carried = all.filter((rate) =>
    rates.every((each) => each.packetsPerSecond !== rate || (isWhole(each) && each.p99BeyondMs <= MOST_BEYOND_MS)),
  );
  return `${[
    DELAY_WORKER.heading,
    '',
    `The last run of \`${DELAY_WORKER.command}\`: packets of 1000 bytes through the worker that delays them by 100 ms where the`,
    `kernel has no netem, 4 s at each rate. ${provenanceText(provenance)}`,
    '',
    '| packets a second | jitter, ms | lost | overtaken | p50, ms | p99 beyond what was asked, ms | max, ms | of a core, % |',
    '|---|---|---|---|---|---|---|---|',
    ...rates.map(row),
    '',
    `Carried, none lost or overtaken and P99 within ${MOST_BEYOND_MS} ms of what was asked: up to ${Math.max(0, ...carried)} packets a second.`,
    `A fault is refused on a host that sends more than ${LIMITS.packetsPerSecond} a second to its peers.`,
  ].join('\n')}\n`;
}

function isWhole({ lost, overtaken }: DelayedRate): boolean {
  return lost === 0 && overtaken === 0;
}

function row(rate: DelayedRate): string {
  const shown = [rate.packetsPerSecond, rate.jitterMs, rate.lost, rate.overtaken];
  const measured = [rate.p50Ms, rate.p99BeyondMs, rate.maxBeyondMs, rate.corePct].map((value) => value.toFixed(1));
  return `| ${[...shown, ...measured].join(' | ')} |`;
}
