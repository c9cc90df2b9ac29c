import { guardrailsOf, type Source, trafficSourcesOf, type Watched } from '../domain/guardrail-queries.ts';
import type { RawReading, TelemetrySnapshot } from '../domain/guardrails.ts';
import type { Telemetry } from './prometheus.ts';

/** What `readTelemetry` would have said at each second of a time that is past; what cannot be read says so itself. */
export async function readHistory(
  telemetry: Pick<Telemetry, 'history'>,
  cluster: Watched,
  fromMs: number,
  toMs: number,
): Promise<{ atMs: number; snapshot: TelemetrySnapshot }[]> {
  const past = (source: Source) => historyOf(telemetry, source, fromMs, toMs);
  const traffic = trafficSourcesOf(cluster);
  const [guardrails, liveGateways, requestRate] = await Promise.all([
    Promise.all(
      Object.entries(guardrailsOf(cluster)).map(async ([name, source]) => [name, await past(source)] as const),
    ),
    past(traffic.liveGateways),
    past(traffic.requestRate),
  ]);
  const seconds: number[] = [];
  for (let second = Math.floor(fromMs / 1000); second <= Math.floor(toMs / 1000); second++) seconds.push(second * 1000);
  return seconds.map((atMs) => ({
    atMs,
    snapshot: {
      guardrails: Object.fromEntries(guardrails.map(([name, at]) => [name, at(atMs)])),
      liveGateways: liveGateways(atMs),
      requestRate: requestRate(atMs),
    },
  }));
}

async function historyOf(
  telemetry: Pick<Telemetry, 'history'>,
  source: Source,
  fromMs: number,
  toMs: number,
): Promise<(atMs: number) => RawReading> {
  try {
    const readings = await telemetry.history(source, fromMs, toMs);
    return (atMs) => readings.get(atMs) ?? {};
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    return () => ({ problem });
  }
}
