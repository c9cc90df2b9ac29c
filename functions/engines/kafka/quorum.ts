import type { ReplicaSet, Shard } from '../../domain/topology.ts';
import type { Brokers } from './brokers.ts';
import type { BrokerAnswer, QuorumView } from './views.ts';

export const QUORUM = 'quorum';
/** A controller fetches the metadata log twice a second. One that was silent for so long is not there. */
export const HEARD_WITHIN_MS = 3000;

/** The controllers, also those that are no nodes of the cluster: these count for the majority and are nobody's target. */
export function quorumOf(
  answers: readonly BrokerAnswer[],
  brokers: Brokers,
): { shard: Shard; replicaSet: ReplicaSet | undefined } {
  const told = answers.flatMap(({ node, quorum }) => ('problem' in quorum ? [] : [{ node, quorum }]));
  const problems = answers.flatMap(({ node, quorum }) =>
    'problem' in quorum ? [`${node} says nothing of the controller: ${quorum.problem}`] : [],
  );
  const nameOf = (id: number) => brokers.nodeOf(id) ?? `controller ${id}`;
  const [newest] = told.map(({ quorum }) => quorum).sort((one, other) => other.epoch - one.epoch);
  const agree = told.every(({ quorum }) => quorum.epoch === newest?.epoch && quorum.leader === newest.leader);
  if (newest && !agree) {
    const said = told.map(({ node, quorum }) => `${node} says ${nameOf(quorum.leader)} (epoch ${quorum.epoch})`);
    problems.push(`brokers disagree on the controller: ${said.join(', ')}`);
  } else if (newest?.leader === -1) problems.push('has no leader');
  if (newest) problems.push(...silentVoters(newest, nameOf));

  const leader = newest && agree && newest.leader !== -1 ? newest.leader : undefined;
  // While nobody tells who votes, those who may.
  const voters = newest
    ? newest.voters.flatMap(({ id }) => brokers.nodeOf(id) ?? [])
    : answers.flatMap(({ node, settings }) => ((settings['process.roles'] ?? '').includes('controller') ? [node] : []));
  const members = voters.map((node) => ({
    node,
    ...(leader === undefined ? {} : { role: brokers.nodeOf(leader) === node ? 'controller' : 'voter' }),
  }));
  return { shard: { name: QUORUM, members, problems, unprobed: true }, replicaSet: newest && votersOf(newest, nameOf) };
}

function votersOf({ leader, voters }: QuorumView, nameOf: (id: number) => string): ReplicaSet {
  const names = (of: QuorumView['voters']) => of.map(({ id }) => nameOf(id));
  return {
    ...{ name: QUORUM, members: names(voters), inSync: names(voters.filter(isHeard)) },
    ...(leader === -1 ? {} : { leader: nameOf(leader) }),
    minInSync: Math.floor(voters.length / 2) + 1,
  };
}

function isHeard({ silentMs }: QuorumView['voters'][number]): boolean {
  return silentMs <= HEARD_WITHIN_MS;
}

function silentVoters({ voters }: QuorumView, nameOf: (id: number) => string): string[] {
  return voters
    .filter((voter) => !isHeard(voter))
    .map(({ id, silentMs }) =>
      Number.isFinite(silentMs)
        ? `${nameOf(id)} has not fetched the metadata log for ${(silentMs / 1000).toFixed(1)} s`
        : `${nameOf(id)} has never fetched the metadata log`,
    );
}
