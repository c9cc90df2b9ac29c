import {
  type Control,
  guardrailsOf,
  type Source,
  trafficSourcesOf,
  type Watched,
} from '../domain/guardrail-queries.ts';
import type { RawReading, TelemetrySnapshot } from '../domain/guardrails.ts';
import type { Telemetry } from './prometheus.ts';

/** Reads everything a cluster's guardrails need, in parallel; never rejects: what cannot be read says so itself. */
export async function readTelemetry(telemetry: Telemetry, cluster: Watched): Promise<TelemetrySnapshot> {
  const traffic = trafficSourcesOf(cluster);
  const [guardrails, liveGateways, requestRate] = await Promise.all([
    Promise.all(
      Object.entries(guardrailsOf(cluster)).map(
        async ([name, source]) => [name, await readSource(telemetry, source)] as const,
      ),
    ),
    readSource(telemetry, traffic.liveGateways),
    readSource(telemetry, traffic.requestRate),
  ]);
  return { guardrails: Object.fromEntries(guardrails), liveGateways, requestRate };
}

/**
 * The same before a start, with the positive controls: a guardrail that could never be beyond its limit has no value,
 * for the one it shows means nothing.
 */
export async function readControlledTelemetry(telemetry: Telemetry, cluster: Watched): Promise<TelemetrySnapshot> {
  const controlled = Object.entries(guardrailsOf(cluster)).map(async ([name, { controls }]) => {
    const failures = await Promise.all(controls.map((control) => failureOf(telemetry, control)));
    const problem = failures.filter((failure) => failure !== undefined).join('; ');
    return [name, problem] as const;
  });
  const [snapshot, problems] = await Promise.all([readTelemetry(telemetry, cluster), Promise.all(controlled)]);
  for (const [name, problem] of problems) {
    if (problem !== '') snapshot.guardrails[name] = { problem: `it could never be beyond its limit: ${problem}` };
  }
  return snapshot;
}

/** Why a positive control does not hold, or undefined. Never rejects. */
export async function failureOf(
  telemetry: Telemetry,
  { what, query, must, bound, unit }: Control,
): Promise<string | undefined> {
  try {
    const value = await telemetry.instant(query);
    const holds = {
      'at least': value >= bound,
      'at most': value <= bound,
      'more than': value > bound,
      exactly: value === bound,
    }[must];
    return holds
      ? undefined
      : `${what} is ${value} ${unit}, it must be ${must} ${bound} ${unit}`.replaceAll(/ (?=,|$)/g, '');
  } catch (error) {
    return `${what}: ${messageOf(error)}`;
  }
}

async function readSource(telemetry: Telemetry, source: Source): Promise<RawReading> {
  try {
    return await telemetry.read(source);
  } catch (error) {
    return { problem: messageOf(error) };
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
