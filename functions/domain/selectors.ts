import * as z from 'zod';

/**
 * Nodes chosen by what they are in the store instead of by their names: part of a request, never of what a host is told.
 * The roles are the engine's own words; which there are is known when the store is asked.
 */
export interface Selector {
  /** A role in one shard; or `ALL`, `MINORITY` or `REST`. */
  role: string;
  /** Name of a shard, of other data that the store keeps on several nodes, of where nodes stand, or of a group that a node coordinates. */
  of?: string | undefined;
  /** How many, where several nodes have the role; absent: one. */
  count?: number | undefined;
}

/** As many members as a shard can lose while a majority of them stays. */
export const MINORITY = 'minority';
/** All members of a shard, or all nodes that stand in one place. */
export const ALL = 'all';
/** Every live node that no other entry of the fault stands for. */
export const REST = 'rest';

const ROLE = /^[a-z][a-z-]{0,49}$/;
const OF = /^[A-Za-z0-9_][A-Za-z0-9._:-]{0,254}$/;
const MAX_COUNT = 100;

export const selectorSchema: z.ZodType<Selector, Selector> = z
  .strictObject({
    role: z.string().regex(ROLE, 'is not a role'),
    of: z.string().regex(OF, 'is not the name of a shard').optional(),
    count: z.int().min(1).max(MAX_COUNT).optional(),
  })
  .refine(({ role, of }) => role !== REST || of === undefined, {
    path: ['of'],
    message: `stands beside role ${REST}, which is every other live node`,
  })
  .refine(({ role, of }) => (role !== MINORITY && role !== ALL) || of !== undefined, {
    path: ['of'],
    message: `is missing: ${MINORITY} and ${ALL} are of the members of something`,
  })
  .refine(({ role, count }) => count === undefined || ![REST, MINORITY, ALL].includes(role), {
    path: ['count'],
    message: `stands beside a role that says itself how many nodes it is (${MINORITY}, ${ALL}, ${REST})`,
  });

/** What each field of a selector may hold, in words for a person. */
export const SELECTOR_WORDS = {
  role: `a role that the store knows (leader, follower, controller, …), ${MINORITY}, ${ALL} or ${REST}`,
  of: `the shard, the group or the place in which the nodes have the role; needed for ${MINORITY}, ${ALL} and where several have such a role, not beside ${REST}`,
  count: `a whole number from 1 to ${MAX_COUNT}; left out: 1; not beside ${MINORITY}, ${ALL} and ${REST}`,
};

/** `leader of orders-0`, `2 × follower of orders-0`, `rest`. */
export function selectorText({ role, of, count = 1 }: Selector): string {
  return `${count > 1 ? `${count} × ` : ''}${role}${of === undefined ? '' : ` of ${of}`}`;
}
