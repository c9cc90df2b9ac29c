import { isRecord } from '../../functions/domain/strict-json.ts';

/**
 * The same payload with two nodes changed for each other, wherever one of their names is a whole string in the
 * parameters of a fault: a partition stays a partition, because nobody is named twice that was not before.
 */
export function swapNodes(payload: Readonly<Record<string, unknown>>, one: string, other: string) {
  const swapped = (value: unknown): unknown => {
    if (value === one) return other;
    if (value === other) return one;
    if (Array.isArray(value)) return value.map(swapped);
    if (isRecord(value)) return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, swapped(each)]));
    return value;
  };
  const inFault = (fault: unknown): unknown =>
    isRecord(fault) && 'parameters' in fault ? { ...fault, parameters: swapped(fault.parameters) } : fault;
  const { faults } = payload;
  const common = inFault(payload) as Record<string, unknown>;
  return Array.isArray(faults) ? { ...common, faults: faults.map(inFault) } : common;
}
