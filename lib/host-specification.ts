import { type HostFaultKind, hostKindOf, scriptName } from '../functions/domain/faults/catalogue.ts';
import type { DocumentParameter } from '../functions/domain/faults/kind.ts';
import { COMMON_PARAMETERS, IDENTITY_PARAMETERS, ownParameters } from './document-parameters.ts';
import { dict, list, type Python, raw, text, tuple, written } from './python-literal.ts';

/** The module of the host program that is written here, at synthesis. */
export const SPECIFICATION_FILE = 'specification.py';

const HEAD = `"""What a fault may be given, and what it works on. Made from functions/domain/faults/ by \`npm run generate\`, and again
for each document at synthesis: change them there."""

from __future__ import annotations

# {parameter: pattern of the whole value}`;

/**
 * What the host checks of its parameters, as Python, for the kinds that its program carries. `npm run generate` keeps a
 * copy with all kinds in `host/`.
 */
export function hostSpecification(kinds: readonly HostFaultKind[]): string {
  const ofEach = (value: (kind: HostFaultKind) => Python) => dict(kinds.map((kind) => [scriptName(kind), value(kind)]));
  return `${HEAD}
${written('IDENTITY: dict[str, str]', patterns(IDENTITY_PARAMETERS))}
# The other parameters that every fault document has.
${written('COMMON: dict[str, str]', patterns(COMMON_PARAMETERS))}
# Own parameters of each kind, and what it has instead of a common one.
${written(
  'PARAMETERS: dict[str, dict[str, str]]',
  ofEach((kind) => patterns(ownParameters(kind))),
)}
# "0" stands for what was left out. exactlyOne: one of the two is "0". onlyWith: where the second is "0", the first is.
# atMost: the first is no more than the second. lessThan: the second is "0", or more than the first.
${written(
  'RULES: dict[str, list[tuple[str, str, str]]]',
  ofEach((kind) => list(hostRules(kind))),
)}
# What no two faults of a host may share.
${written(
  'RESOURCES: dict[str, str]',
  ofEach((kind) => text(hostKindOf(kind).resource)),
)}
`;
}

/** What is left of it for the program that only rolls back: nothing but its own parameters is read there. */
export function rollBackSpecification(): string {
  return `${HEAD}
${written('IDENTITY: dict[str, str]', patterns(IDENTITY_PARAMETERS))}
`;
}

function patterns(named: Readonly<Record<string, DocumentParameter>>): Python {
  // Without ^ and $.
  return dict(Object.entries(named).map(([name, { pattern }]) => [name, raw(pattern.slice(1, -1))]));
}

/** The rules that the host can check: it is told of both fields. */
function hostRules(kind: HostFaultKind): Python[] {
  const { document, rules } = hostKindOf(kind);
  return rules
    .filter(({ first, second }) => document[first] && document[second])
    .map(({ rule, first, second }) => tuple([text(rule), text(first), text(second)]));
}
