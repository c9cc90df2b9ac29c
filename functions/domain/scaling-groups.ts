import type { Fault } from './experiment.ts';
import { isFisFaultKind, isReplacedAfter } from './faults/catalogue.ts';
import { nodesHitBy } from './resolve-targets.ts';
import type { LiveNode } from './targets.ts';

/** EC2 puts it on every member of an Auto Scaling group. */
const GROUP_TAG = 'aws:autoscaling:groupName';
/** By these a group replaces a member that it takes for unhealthy. */
const REPLACING = ['Terminate', 'HealthCheck', 'ReplaceUnhealthy'];
/** And by this one it starts another in its place. */
const LAUNCH = 'Launch';

/** What decides whether an Auto Scaling group replaces a member. */
export interface ScalingGroup {
  name: string;
  /** `EC2`, `ELB`, …: who may call a member unhealthy. */
  healthChecks: string[];
  suspendedProcesses: string[];
  /** How many instances it keeps, and which of those that it has are in service; absent: AWS does not tell, or it is being deleted. */
  keeps?: { desiredCapacity: number; inService: string[] };
  /** Its HealthCheckGracePeriod; absent: it has none that is known. Seconds. */
  healthCheckGraceSeconds?: number;
}

/** Names of the groups whose members these faults hit, each once. */
export function scalingGroupsHit(
  faults: readonly Pick<Fault, 'kind' | 'impactedNodes'>[],
  nodes: readonly LiveNode[],
): string[] {
  return [...new Set(nodesHitBy(faults, nodes).flatMap(({ tags }) => tags[GROUP_TAG] ?? []))];
}

/**
 * Why these faults may not be, or undefined: a group that replaces a member makes of the fault a termination, which
 * nobody can undo. A fault in FIS fails EC2's own status checks; one on a host only what looks at the store, such as
 * a load balancer. After a fault that *is* a termination the group has to replace it, or nobody would.
 * @param groups those hit; one that is not there is unknown, and unknown refuses
 * @param minGraceSeconds the least grace that a group must give its members, whatever it is kept from
 */
export function refuseReplacement(
  faults: readonly Pick<Fault, 'faultId' | 'kind' | 'impactedNodes'>[],
  nodes: readonly LiveNode[],
  groups: readonly ScalingGroup[],
  minGraceSeconds = 0,
): string | undefined {
  const refusals = faults.flatMap((fault) =>
    nodesHitBy([fault], nodes).flatMap(({ name, instanceId, tags }) => {
      const groupName = tags[GROUP_TAG];
      const isReplaced = isReplacedAfter(fault.kind);
      if (groupName === undefined)
        return isReplaced ? [`${fault.faultId}: ${name} is in no Auto Scaling group: nobody would replace it`] : [];
      const group = groups.find((each) => each.name === groupName);
      if (!group)
        return [`${fault.faultId}: ${name} is in the Auto Scaling group ${groupName}, of which AWS tells nothing`];
      const { healthCheckGraceSeconds: grace = 0 } = group;
      if (grace < minGraceSeconds)
        return [
          `${fault.faultId}: the Auto Scaling group ${groupName} of ${name} has a HealthCheckGracePeriod of ${grace} s, and at least ${minGraceSeconds} s are asked for (minHealthCheckGraceSeconds)`,
        ];
      if (isReplaced) {
        const suspended = [...REPLACING, LAUNCH].filter((process) => group.suspendedProcesses.includes(process));
        const would = `${fault.faultId}: the Auto Scaling group ${groupName} would not replace ${name}`;
        if (suspended.length > 0) return [`${would}; resume its ${suspended.join(', ')}`];
        const { desiredCapacity = 0, inService = [] } = group.keeps ?? {};
        if (!inService.includes(instanceId)) return [`${would}: it is not InService there`];
        if (desiredCapacity < inService.length)
          return [`${would}: it keeps ${desiredCapacity} instances, and ${inService.length} are in service`];
        return [];
      }
      const looksInside = group.healthChecks.some((check) => check !== 'EC2');
      const running = REPLACING.filter((process) => !group.suspendedProcesses.includes(process));
      if (running.length === 0 || !(isFisFaultKind(fault.kind) || looksInside)) return [];
      return [
        `${fault.faultId}: the Auto Scaling group ${groupName} could replace ${name} (health checks: ${group.healthChecks.join(', ')}); suspend its ${running.join(', ')}`,
      ];
    }),
  );
  return refusals.length > 0 ? [...new Set(refusals)].join('; ') : undefined;
}

/** Of an instance that was terminated nobody asks any more who would replace it: another one may have its name by now. */
export function withoutTerminated<F extends Pick<Fault, 'faultId' | 'kind'>>(
  faults: readonly F[],
  injected: readonly string[],
): F[] {
  return faults.filter(({ faultId, kind }) => !(isReplacedAfter(kind) && injected.includes(faultId)));
}
