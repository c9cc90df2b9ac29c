import {
  type Control,
  guardrailsOf,
  trafficSourcesOf,
  type Watched,
} from '../../../functions/domain/guardrail-queries.ts';
import type { Telemetry } from '../../../functions/telemetry/prometheus.ts';
import { cluster } from './fixtures.ts';

/** What a query gives: of a guardrail by its name, of its control by that with its number, of any other by itself. */
export type Values = Record<string, number>;

/** More than any control asks for. */
const CONTROL_HOLDS = 1000;

/** A system that is well. */
export const WELL: Values = {
  ...{ errorRatePct: 0, p99WriteLatencyMs: 14, freeWorkersPct: 80, liveGateways: 2, requestRate: 1000 },
};

/** Telemetry in memory; a value may be changed between readings. Controls hold unless they have a value. */
export function fakeTelemetry(values: Values = WELL, { samples = 30, ageSeconds = 0.2, of = cluster as Watched } = {}) {
  const names = new Map<string, string>();
  const controlled = new Map<string, { name: string; control: Control }>();
  for (const [guardrail, { query, controls }] of Object.entries(guardrailsOf(of))) {
    names.set(query, guardrail);
    for (const [index, control] of controls.entries()) {
      controlled.set(control.query, { name: `${guardrail}.${index}`, control });
    }
  }
  for (const [name, { query }] of Object.entries(trafficSourcesOf(of))) names.set(query, name);
  const valueFor = (query: string) => values[names.get(query) ?? query] ?? 0;
  const telemetry: Telemetry = {
    read: async ({ query }) => ({ value: valueFor(query), ageSeconds }),
    instant: async (query) => {
      const found = controlled.get(query);
      // Of anything else than a guardrail a control holds too.
      if (!found) return values[query] ?? CONTROL_HOLDS;
      const { name, control } = found;
      return values[name] ?? (control.must === 'more than' ? control.bound + 1 : control.bound);
    },
    range: async (query) => Array<number>(samples).fill(valueFor(query)),
    history: async ({ query }, _fromMs, toMs) => {
      const last = Math.floor(toMs / 1000);
      const seconds = Array.from({ length: samples }, (_, index) => (last - samples + 1 + index) * 1000);
      return new Map(seconds.map((atMs) => [atMs, { value: valueFor(query), ageSeconds }]));
    },
    alertProblem: async () => undefined,
  };
  return telemetry;
}
