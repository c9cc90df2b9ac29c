import { AwsError, unknownOperation } from '../protocol/aws-error.ts';
import type { Demand } from '../protocol/principal.ts';
import { escapeXml } from '../protocol/query-protocol.ts';
import type { QueryService } from '../protocol/service.ts';
import type { Instances, ScalingGroup } from './instances.ts';

const NAMESPACE = 'http://autoscaling.amazonaws.com/doc/2011-01-01/';
const NAME = /^AutoScalingGroupNames\.member\.\d+$/;

/** Auto Scaling tells of its groups. A tester makes them, over the control socket; what they do is in instances.ts. */
export class AutoScaling implements QueryService {
  readonly signingName = 'autoscaling';
  readonly errorForm = 'Query';
  readonly #instances: Instances;

  constructor(instances: Instances) {
    this.#instances = instances;
  }

  demands(form: URLSearchParams): Demand[] {
    return [{ action: `autoscaling:${form.get('Action')}`, resource: '*' }];
  }

  call(form: URLSearchParams): string {
    const name = form.get('Action') ?? '';
    if (name !== 'DescribeAutoScalingGroups') throw unknownOperation('autoscaling', name);
    const unknown = [...form.keys()].filter((field) => !NAME.test(field) && !['Action', 'Version'].includes(field));
    if (unknown.length > 0) throw new AwsError('ValidationError', `the lab does not know ${unknown.join(', ')}`);
    const names = [...form].filter(([field]) => NAME.test(field)).map(([, value]) => value);
    const groups = this.#instances.scalingGroups.filter((group) => names.length === 0 || names.includes(group.name));
    const members = groups.map((group) => this.#describe(group)).join('');
    return `<${name}Response xmlns="${NAMESPACE}"><${name}Result><AutoScalingGroups>${members}</AutoScalingGroups></${name}Result><ResponseMetadata><RequestId>lab</RequestId></ResponseMetadata></${name}Response>`;
  }

  #describe({ name, hosts, healthChecks, suspendedProcesses, healthCheckGraceSeconds = 0 }: ScalingGroup): string {
    const suspended = suspendedProcesses.map(
      (process) =>
        `<member><ProcessName>${escapeXml(process)}</ProcessName><SuspensionReason>User suspended</SuspensionReason></member>`,
    );
    const size = hosts.length;
    const members = this.#instances.hosts
      .filter((host) => hosts.includes(host.name) && this.#instances.stateOf(host) === 'running')
      .map(
        ({ instanceId }) =>
          `<member><InstanceId>${instanceId}</InstanceId><AvailabilityZone>lab</AvailabilityZone><LifecycleState>InService</LifecycleState>` +
          `<HealthStatus>Healthy</HealthStatus><ProtectedFromScaleIn>false</ProtectedFromScaleIn></member>`,
      );
    return (
      `<member><AutoScalingGroupName>${escapeXml(name)}</AutoScalingGroupName><MinSize>${size}</MinSize><MaxSize>${size}</MaxSize>` +
      `<DesiredCapacity>${size}</DesiredCapacity><DefaultCooldown>300</DefaultCooldown><AvailabilityZones/>` +
      `<HealthCheckType>${escapeXml(healthChecks.join(','))}</HealthCheckType><HealthCheckGracePeriod>${healthCheckGraceSeconds}</HealthCheckGracePeriod><CreatedTime>2026-01-01T00:00:00Z</CreatedTime><Instances>${members.join('')}</Instances>` +
      `<SuspendedProcesses>${suspended.join('')}</SuspendedProcesses></member>`
    );
  }
}
