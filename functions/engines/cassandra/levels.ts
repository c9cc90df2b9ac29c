import type { ConsistencyLevel } from './configuration.ts';

/** How many replicas a level needs, of which. */
export interface Demand {
  /** Undefined: in any datacenter. */
  datacenter?: string;
  needed: number;
}

/** Copies there are meant to be. */
export interface Factors {
  /** Empty where a datacenter means nothing: each level is then counted over all. */
  byDatacenter: ReadonlyMap<string, number>;
  anywhere: number;
}

/**
 * What a level asks of the replicas of one range. Pure.
 * @param clientsIn datacenters in which a level that begins with LOCAL must hold
 */
export function demandsOf(
  level: ConsistencyLevel,
  { byDatacenter, anywhere }: Factors,
  clientsIn: readonly string[],
): Demand[] {
  const each = (datacenters: readonly string[], needed: (factor: number) => number): Demand[] =>
    byDatacenter.size === 0
      ? [{ needed: needed(anywhere) }]
      : datacenters.map((datacenter) => ({ datacenter, needed: needed(byDatacenter.get(datacenter) ?? 0) }));
  switch (level) {
    case 'ANY':
      return [];
    case 'ONE':
      return [{ needed: 1 }];
    case 'TWO':
      return [{ needed: 2 }];
    case 'THREE':
      return [{ needed: 3 }];
    case 'QUORUM':
      return [{ needed: majority(anywhere) }];
    case 'ALL':
      return [{ needed: anywhere }];
    case 'LOCAL_ONE':
      return each(clientsIn, () => 1);
    case 'LOCAL_QUORUM':
      return each(clientsIn, majority);
    case 'EACH_QUORUM':
      return each([...byDatacenter.keys()], majority);
  }
}

function majority(copies: number): number {
  return Math.floor(copies / 2) + 1;
}
