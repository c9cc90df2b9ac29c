import type { ChosenNodes, Fault, UnchosenFault } from './experiment.ts';
import { type FaultParameters, impactedNodesOf, kindOf, nodeFieldsOf } from './faults/catalogue.ts';
import { fieldErrors } from './field-errors.ts';
import type { FieldError } from './problem.ts';
import { type NodeEntry, selectNodes } from './select-nodes.ts';
import { REST, type Selector, selectorText } from './selectors.ts';
import type { StoreTopology } from './topology.ts';

export type Choice = { ok: true; fault: Fault } | { ok: false; errors: FieldError[] };

/**
 * Names instead of roles, as they are now: from here on a fault names its nodes, and keeps beside them what they were
 * chosen by. The kind's rules are asked again, because two roles may be one node's. Pure.
 *
 * @param live names of all live nodes of the cluster
 * @param place where the parameters stand in the payload
 */
export function chooseNodes(
  fault: UnchosenFault,
  live: readonly string[],
  topology: StoreTopology,
  place: readonly string[],
): Choice {
  const { kind, ...parameters } = fault.parameters;
  const lists = nodeFieldsOf(kind).flatMap((field) => entriesOf(field, parameters[field]));
  const errors: FieldError[] = [];
  const chosen = new Map<Entry, string[]>();
  // The rest is what nothing else stands for, so it comes last.
  for (const entry of [...lists].sort((a, b) => Number(isRest(a)) - Number(isRest(b)))) {
    const { field, position, value } = entry;
    if (typeof value === 'string') {
      chosen.set(entry, [value]);
      continue;
    }
    const selection = selectNodes(value, live, [...chosen.values()].flat(), topology);
    if (selection.ok) chosen.set(entry, selection.nodes);
    else errors.push({ ...selection.error, field: [...place, field, position, selection.error.field].join('.') });
  }
  if (errors.length > 0) return { ok: false, errors };
  const named = Object.fromEntries(
    Object.entries(parameters).map(([field, value]) => {
      const own = lists.filter((entry) => entry.field === field);
      return [field, own.length === 0 ? value : own.flatMap((entry) => chosen.get(entry) ?? [])];
    }),
  );
  const { schema, allowed, fields } = kindOf(kind);
  const parsed = schema.safeParse(named);
  if (!parsed.success) {
    const wrong = fieldErrors(parsed.error, place, { words: allowed, known: Object.keys(fields) });
    return { ok: false, errors: wrong.map((error) => ({ ...error, message: `${error.message}: ${wordsOf(chosen)}` })) };
  }
  const chosenBy = lists.flatMap((entry): ChosenNodes[] =>
    typeof entry.value === 'string'
      ? []
      : [{ field: entry.field, selector: entry.value, nodes: chosen.get(entry) ?? [] }],
  );
  // The schema of a kind makes that kind's parameters: the compiler cannot follow the look-up.
  const made = { kind, ...(parsed.data as object) } as FaultParameters;
  return { ok: true, fault: { ...fault, impactedNodes: impactedNodesOf(made), parameters: made, chosenBy } };
}

/** What somebody else holds now of what a fault was admitted with: a line for a person, and the nodes that lost it. */
export interface MovedChoice {
  line: string;
  /** Nodes that were admitted and would not be chosen now; all of them where nothing certain would be. */
  lost: string[];
}

/** The selection of an admitted fault made again: empty, it would name the same nodes now. */
export function movedChoices(fault: Fault, live: readonly string[], topology: StoreTopology): MovedChoice[] {
  const { faultId, kind, parameters, chosenBy = [] } = fault;
  const named = nodeFieldsOf(kind).flatMap((field) => namesIn((parameters as Record<string, unknown>)[field]));
  return chosenBy.flatMap(({ selector, nodes }): MovedChoice[] => {
    const others = named.filter((name) => !nodes.includes(name));
    const now = selectNodes(selector, live, others, topology);
    const admitted = `${nodes.join(', ')} was admitted`;
    if (!now.ok) {
      const line = `${faultId}: who is ${selectorText(selector)} is not certain now (${now.error.field} ${now.error.message}), ${admitted}`;
      return [{ line, lost: nodes }];
    }
    if (now.nodes.join() === nodes.join()) return [];
    const line = `${faultId}: ${theText(selector)} is ${now.nodes.join(', ')} now, ${admitted}`;
    return [{ line, lost: nodes.filter((name) => !now.nodes.includes(name)) }];
  });
}

interface Entry {
  field: string;
  position: number;
  value: NodeEntry;
}

/** The schema of requests has checked that these are names and selectors. */
function entriesOf(field: string, list: unknown): Entry[] {
  return Array.isArray(list) ? list.map((value: NodeEntry, position) => ({ field, position, value })) : [];
}

function namesIn(list: unknown): string[] {
  return Array.isArray(list) ? list.map(String) : [];
}

function isRest({ value }: Entry): boolean {
  return typeof value !== 'string' && value.role === REST;
}

function wordsOf(chosen: ReadonlyMap<Entry, string[]>): string {
  return [...chosen]
    .flatMap(([{ value }, nodes]) =>
      typeof value === 'string' ? [] : [`${selectorText(value)} is ${nodes.join(', ')}`],
    )
    .join('; ');
}

function theText(selector: Selector): string {
  return `the ${selectorText(selector)}`;
}
