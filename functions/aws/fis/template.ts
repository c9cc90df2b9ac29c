import type { CreateExperimentTemplateRequest } from '@aws-sdk/client-fis';
import { type FisAction, MAX_STOP_CONDITION_ALARMS } from '../../domain/faults/kind.ts';
import type { FisFault } from '../../domain/fis-fault.ts';
import { EXPERIMENT_TAG, FAULT_TAG, STACK_TAG } from '../../domain/names.ts';

/** Where the deployment is and what it may use. */
export interface FisPlace {
  stackName: string;
  /** Role that FIS assumes for the action; its ARN also tells partition and account. */
  roleArn: string;
  region: string;
  /** Name of a cluster's alarm over the guard's heartbeat, without the cluster. */
  heartbeatAlarmPrefix: string;
}

export function tagsOf(stackName: string, experimentId: string, faultId: string): Record<string, string> {
  return { [STACK_TAG]: stackName, [EXPERIMENT_TAG]: experimentId, [FAULT_TAG]: faultId };
}

/** One template and one experiment a fault, whoever repeats the request. */
export function clientTokenOf({ stackName }: Pick<FisPlace, 'stackName'>, faultId: string): string {
  return `${stackName}.${faultId}`;
}

/**
 * A template for exactly the targets of one fault: one action, no selection, no filter.
 * @param alarmNames of the cluster; the alarm over the guard's heartbeat is added.
 * @throws Error when there is no target, or more alarms than FIS takes.
 */
export function templateOf(
  experimentId: string,
  { faultId, kind, cluster, action }: FisFault,
  alarmNames: readonly string[],
  place: FisPlace,
): CreateExperimentTemplateRequest {
  if (action.target.resources.length === 0) throw new Error(`${faultId}: ${kind} has no ${action.target.name}`);
  const alarms = [`${place.heartbeatAlarmPrefix}${cluster}`, ...alarmNames];
  if (alarmNames.length > MAX_STOP_CONDITION_ALARMS) {
    throw new Error(
      `${faultId}: cluster ${cluster} has ${alarmNames.length} alarms, FIS takes at most ${MAX_STOP_CONDITION_ALARMS}`,
    );
  }
  const [, partition, , , accountId] = place.roleArn.split(':');
  const arn = (service: string, resource: string) =>
    `arn:${partition}:${service}:${place.region}:${accountId}:${resource}`;
  return {
    clientToken: clientTokenOf(place, faultId),
    description: `Holdfast ${faultId}: ${kind}`,
    roleArn: place.roleArn,
    tags: tagsOf(place.stackName, experimentId, faultId),
    stopConditions: alarms.map((name) => ({
      source: 'aws:cloudwatch:alarm',
      value: arn('cloudwatch', `alarm:${name}`),
    })),
    targets: {
      [action.target.name]: {
        resourceType: action.target.resourceType,
        resourceArns: action.target.resources.map((resource) => arn('ec2', resourcePath(resource))),
        selectionMode: 'ALL',
      },
    },
    actions: {
      fault: {
        actionId: action.actionId,
        parameters: { ...action.parameters },
        targets: { [action.target.name]: action.target.name },
      },
    },
  };
}

function resourcePath({ kind, id }: FisAction['target']['resources'][number]): string {
  return `${kind}/${id}`;
}
