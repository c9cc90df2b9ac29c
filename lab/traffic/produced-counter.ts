import { Counter, type Registry } from 'prom-client';

/** Records by the node that took them: what a node bears of the traffic. Each exists from the first scrape. */
export function producedCounter(registry: Registry, nodes: readonly string[]): Counter<'broker'> {
  const produced = new Counter({
    name: 'records_produced_total',
    help: 'Records that every copy in sync has, by the node that took them.',
    labelNames: ['broker'],
    registers: nodes.length > 0 ? [registry] : [],
  });
  for (const broker of nodes) produced.inc({ broker }, 0);
  return produced;
}
