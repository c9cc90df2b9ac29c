import type { LabHost } from '../../fleet/engine.ts';
import { AwsError } from '../protocol/aws-error.ts';
import type { Demand } from '../protocol/principal.ts';
import type { Ec2 } from './ec2.ts';

/** What a template says of its one action. */
export interface FisAction {
  actionId: string;
  parameters: Record<string, string>;
  resourceArns: readonly string[];
}

/** An action as the lab can really do it. */
export interface RunnableAction {
  /** What FIS's role must be allowed. */
  demands: Demand[];
  begin(): Promise<void>;
  /** How long it lasts by itself; absent: it is over when it has begun. */
  durationMs?: number;
  /** At the end of it, and when the experiment is stopped. */
  end?(): Promise<void>;
}

const [MIN_MINUTES, MAX_MINUTES] = [1, 720];
/** Parameter → whether it may be left out. */
const KNOWN: Record<string, readonly string[]> = {
  'aws:ec2:stop-instances': ['startInstancesAfterDuration', 'completeIfInstancesTerminated'],
  'aws:ec2:reboot-instances': [],
  'aws:ec2:terminate-instances': [],
  'aws:ebs:pause-volume-io': ['duration'],
  'aws:ebs:volume-io-latency': [
    'readIOPercentage',
    'readIOLatencyMilliseconds',
    'writeIOPercentage',
    'writeIOLatencyMilliseconds',
    'duration',
  ],
  'aws:network:disrupt-connectivity': ['scope', 'duration', 'prefixListIdentifier'],
};
const MISSING: Record<string, string> = {
  'aws:ebs:pause-volume-io': 'EBS volumes',
  'aws:ebs:volume-io-latency': 'EBS volumes',
  'aws:network:disrupt-connectivity': 'subnets with network ACLs',
};

/** As FIS checks a template. @throws AwsError ValidationException that names the action or its parameter */
export function checkAction({ actionId, parameters }: FisAction): void {
  const known = KNOWN[actionId];
  if (known === undefined) throw invalid(`action ${actionId}: the lab knows ${Object.keys(KNOWN).join(', ')}`);
  const unknown = Object.keys(parameters).filter((name) => !known.includes(name));
  if (unknown.length > 0) throw invalid(`action ${actionId} has no parameter ${unknown.join(', ')}`);
  if (parameters.startInstancesAfterDuration !== undefined) minutes(parameters.startInstancesAfterDuration);
}

/** @throws Error with the reason why the lab cannot run it: the experiment fails with that. */
export function runnable({ actionId, parameters, resourceArns }: FisAction, ec2: Ec2): RunnableAction {
  const missing = MISSING[actionId];
  if (missing !== undefined) throw new Error(`${actionId}: the lab has no ${missing}; this fault runs in AWS only`);
  const { instances } = ec2;
  const hosts = resourceArns.map((arn): LabHost => {
    const host = instances.find(arn.slice(arn.lastIndexOf('/') + 1));
    if (host === undefined) throw new Error(`target resolution returned no instance for ${arn}`);
    return host;
  });
  const all = async (act: (host: LabHost) => Promise<void>) => {
    await Promise.all(hosts.map(act));
  };
  const demandsOf = (...names: string[]) =>
    names.flatMap((name) => hosts.map(({ instanceId }) => ec2.demand(`ec2:${name}`, instanceId)));
  if (actionId === 'aws:ec2:reboot-instances') {
    return { demands: demandsOf('RebootInstances'), begin: () => all((host) => instances.reboot(host)) };
  }
  if (actionId === 'aws:ec2:terminate-instances') {
    return { demands: demandsOf('TerminateInstances'), begin: () => all((host) => instances.terminate(host)) };
  }
  const begin = () => all((host) => instances.stop(host));
  const after = parameters.startInstancesAfterDuration;
  if (after === undefined) return { demands: demandsOf('StopInstances'), begin };
  return {
    demands: demandsOf('StopInstances', 'StartInstances'),
    begin,
    durationMs: minutes(after) * 60_000,
    end: () => all((host) => instances.start(host)),
  };
}

function minutes(duration: string): number {
  const value = Number(/^PT(\d+)M$/.exec(duration)?.[1]);
  if (value >= MIN_MINUTES && value <= MAX_MINUTES) return value;
  throw invalid(`startInstancesAfterDuration ${duration}: PT${MIN_MINUTES}M to PT${MAX_MINUTES}M in the lab`);
}

function invalid(message: string): AwsError {
  return new AwsError('ValidationException', message);
}
