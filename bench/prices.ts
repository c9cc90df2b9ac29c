/**
 * AWS list prices of us-east-1 in US dollars, without free tiers, as last known in November 2025. Check them before
 * you rely on a sum: they are constants here, and AWS changes its own.
 */
export const PRICES_AS_OF = '2025-11';
export const PRICES_REGION = 'us-east-1';

export interface Price {
  dollars: number;
  per: number;
  unit: string;
}

export const PRICES = {
  lambdaGigabyteSeconds: { dollars: 0.0000133334, per: 1, unit: 'GB-s (arm64)' },
  lambdaRequests: { dollars: 0.2, per: 1_000_000, unit: 'requests' },
  stateTransitions: { dollars: 0.025, per: 1_000, unit: 'transitions (Standard)' },
  apiRequests: { dollars: 3.5, per: 1_000_000, unit: 'requests (REST API)' },
  dynamodbReads: { dollars: 0.125, per: 1_000_000, unit: 'read request units (on demand)' },
  dynamodbWrites: { dollars: 0.625, per: 1_000_000, unit: 'write request units (on demand)' },
  events: { dollars: 1, per: 1_000_000, unit: 'custom events' },
  secretReads: { dollars: 0.05, per: 10_000, unit: 'API calls' },
} as const satisfies Record<string, Price>;
export type PricedItem = keyof typeof PRICES;

/** What the lab's AWS side counted: calls by `service.operation`, and what is billed by other measures. */
export interface Usage {
  operations: Record<string, number>;
  lambdaInvocations: number;
  gigabyteSeconds: number;
  stateTransitions: number;
  apiRequests: number;
}

export interface CostLine {
  item: PricedItem;
  quantity: number;
  dollars: number;
}

const READS = ['GetItem', 'Query', 'Scan', 'BatchGetItem'];
const WRITES = ['PutItem', 'UpdateItem', 'DeleteItem', 'ExecuteStatement'];
/** One BatchGetItem of a host reads two rows: its lease and the kill switch. */
const ITEMS_PER_BATCH_READ = 2;

/**
 * Rows here are under 4 KB (reads) and mostly under 1 KB (writes), so a call counts as one unit, a batch as two; audit
 * entries above 1 KB and the record table's index cost more than counted. Lambda is counted by invocation.
 */
export function costOf(usage: Usage): CostLine[] {
  const calls = (service: string, names: readonly string[]): number =>
    names.reduce((sum, name) => sum + (usage.operations[`${service}.${name}`] ?? 0), 0);
  const batches = calls('dynamodb', ['BatchGetItem']);
  const quantities: Record<PricedItem, number> = {
    lambdaGigabyteSeconds: usage.gigabyteSeconds,
    lambdaRequests: usage.lambdaInvocations,
    stateTransitions: usage.stateTransitions,
    apiRequests: usage.apiRequests,
    dynamodbReads: calls('dynamodb', READS) + batches * (ITEMS_PER_BATCH_READ - 1),
    dynamodbWrites: calls('dynamodb', WRITES),
    events: calls('events', ['PutEvents']),
    secretReads: calls('secretsmanager', ['GetSecretValue']),
  };
  return (Object.keys(PRICES) as PricedItem[]).map((item) => ({
    item,
    quantity: quantities[item],
    dollars: (quantities[item] * PRICES[item].dollars) / PRICES[item].per,
  }));
}

export function usageBetween(before: Usage, after: Usage): Usage {
  const names = new Set([...Object.keys(before.operations), ...Object.keys(after.operations)]);
  return {
    operations: Object.fromEntries(
      [...names].map((name) => [name, (after.operations[name] ?? 0) - (before.operations[name] ?? 0)]),
    ),
    lambdaInvocations: after.lambdaInvocations - before.lambdaInvocations,
    gigabyteSeconds: after.gigabyteSeconds - before.gigabyteSeconds,
    stateTransitions: after.stateTransitions - before.stateTransitions,
    apiRequests: after.apiRequests - before.apiRequests,
  };
}
