import { bytesOf, cut, firstLines } from '../domain/limits.ts';
import type { NodeRollback, RollbackResult, RollbackSummary } from '../domain/workflow.ts';

/** Lines of a list, and characters of a line: from all that a host says down to how much that was. */
const STEPS = [
  { lines: 51, characters: 1000 },
  { lines: 10, characters: 300 },
  { lines: 2, characters: 100 },
  { lines: 0, characters: 40 },
] as const;

/**
 * As much of the evidence as fits into an entry of the log: lines are left out, never a node, nor that something was left
 * over on it. How many nodes there can be is bounded at admission.
 */
export function boundedResult(result: RollbackResult, maxBytes: number): RollbackResult {
  let bounded = result;
  for (const { lines, characters } of STEPS) {
    if (bytesOf(bounded) <= maxBytes) return bounded;
    bounded = {
      ...result,
      nodes: result.nodes.map((node) => boundedNode(node, lines, characters)),
      ...(result.problems ? { problems: firstLines(result.problems, lines, characters) } : {}),
    };
  }
  return bounded;
}

function boundedNode(node: NodeRollback, lines: number, characters: number): NodeRollback {
  return {
    ...node,
    leftovers: firstLines(node.leftovers, lines, characters),
    ...(node.changes ? { changes: firstLines(node.changes, lines, characters) } : {}),
    ...(node.notes ? { notes: firstLines(node.notes, lines, characters) } : {}),
    ...(node.detail === undefined ? {} : { detail: cut(node.detail, characters) }),
  };
}

/** What the state machine carries on: the evidence is in the log. */
export function summaryOf({ outcome, rolledBackAt, nodes, services, problems }: RollbackResult): RollbackSummary {
  return {
    outcome,
    ...(rolledBackAt === undefined ? {} : { rolledBackAt }),
    nodes: nodes.map((node) => ({ node: node.node, faultId: node.faultId, outcome: node.outcome })),
    ...(services
      ? {
          services: services.map(({ faultId, outcome: end, state, begunAt }) => ({
            ...{ faultId, outcome: end, state },
            ...(begunAt ? { begunAt } : {}),
          })),
        }
      : {}),
    ...(problems ? { problems: firstLines(problems, 10, 300) } : {}),
  };
}
