import { Stack } from 'aws-cdk-lib';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { refusalOf } from '../functions/domain/faults/catalogue.ts';
import type { Configuration, EngineCluster } from '../functions/engines/configuration.ts';
import { engineOf } from '../functions/engines/registry.ts';
import { acknowledgeWildcard } from './acknowledge.ts';

/** What FIS gives to everything that it makes in a network. */
const MADE_BY_FIS = 'managedByFIS';

/**
 * What FIS may do for the kinds that run in it, and nothing else: on instances, volumes and subnets that carry the
 * deployment's target tag; to start an instance again it needs no tag. It terminates instances only of clusters that
 * allow it, by their tags. Networks only where a cluster of tier staging is configured; nobody else may have that fault.
 */
export class FisRole extends Role {
  constructor(scope: Construct, id: string, { targetTag, clusters }: Pick<Configuration, 'targetTag' | 'clusters'>) {
    const { account } = Stack.of(scope);
    const experiments = Stack.of(scope).formatArn({ service: 'fis', resource: 'experiment', resourceName: '*' });
    super(scope, id, {
      description: 'AWS FIS, for the faults that no host can apply.',
      assumedBy: new ServicePrincipal('fis.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': account }, ArnLike: { 'aws:SourceArn': experiments } },
      }),
    });
    const tagged = { StringEquals: { [`aws:ResourceTag/${targetTag.key}`]: targetTag.value } };
    this.allowOn(['instance'], ['ec2:StopInstances', 'ec2:RebootInstances'], tagged);
    for (const { selectTags } of Object.values(clusters).filter(mayLoseInstances)) {
      const ofCluster = Object.entries(selectTags).map(([key, value]) => [`aws:ResourceTag/${key}`, value]);
      const both = { StringEquals: { ...tagged.StringEquals, ...Object.fromEntries(ofCluster) } };
      this.allowOn(['instance'], ['ec2:TerminateInstances'], both);
    }
    this.addToPolicy(startInstances(this));
    // EBS looks at the instance that the volume is attached to as well.
    this.allowOn(['volume', 'instance'], ['ec2:PauseVolumeIO'], tagged);
    this.allowOn(['volume'], ['ec2:InjectVolumeIOLatency'], tagged);
    this.addToPolicy(startEncrypted(this));
    const describe = ['ec2:DescribeInstances', 'ec2:DescribeVolumes', 'tag:GetResources'];
    const isStaging = Object.values(clusters).some(({ tier }) => tier === 'staging');
    const describeNetwork = ['ManagedPrefixLists', 'NetworkAcls', 'Subnets', 'Vpcs'].map(
      (what) => `ec2:Describe${what}`,
    );
    this.addToPolicy(allowAll([...describe, ...(isStaging ? describeNetwork : [])]));
    acknowledgeWildcard(this, '*', 'Describe actions and tag:GetResources know no resources; a test holds the list.');
    if (isStaging) this.allowNetworkAcls(tagged);
  }

  /** As AWS documents them for `aws:network:disrupt-connectivity`: it puts a network ACL of its own on the subnets. */
  private allowNetworkAcls(tagged: Conditions): void {
    const requested = { StringEquals: { [`aws:RequestTag/${MADE_BY_FIS}`]: 'true' } };
    const created = { StringEquals: { ...requested.StringEquals, 'ec2:CreateAction': 'CreateNetworkAcl' } };
    const own = { StringEquals: { [`ec2:ResourceTag/${MADE_BY_FIS}`]: 'true' } };
    this.allowOn(['network-acl'], ['ec2:CreateNetworkAcl'], requested);
    this.allowOn(['vpc'], ['ec2:CreateNetworkAcl'], {});
    this.allowOn(['network-acl'], ['ec2:CreateTags'], created);
    this.allowOn(['network-acl'], ['ec2:CreateNetworkAclEntry', 'ec2:DeleteNetworkAcl'], own);
    this.allowOn(['subnet'], ['ec2:ReplaceNetworkAclAssociation'], tagged);
    // The subnets' own ACLs are put back: which they are is not known here. The subnets bound it.
    this.allowOn(['network-acl'], ['ec2:ReplaceNetworkAclAssociation'], {});
    this.allowOn(['prefix-list'], ['ec2:GetManagedPrefixListEntries'], {});
  }

  private allowOn(resourceTypes: string[], actions: string[], conditions: Conditions): void {
    const resources = resourceTypes.map((resource) =>
      Stack.of(this).formatArn({ service: 'ec2', resource, resourceName: '*' }),
    );
    this.addToPolicy(new PolicyStatement({ actions, resources, conditions }));
    for (const resource of resources) {
      acknowledgeWildcard(
        this,
        resource,
        'Targets by their tag, what FIS makes by its own; ids are known at run time only.',
      );
    }
  }
}

/** By the word of the engine, and of the kind itself. */
function mayLoseInstances(cluster: EngineCluster): boolean {
  if (!engineOf(cluster).refuseTermination) return false;
  return refusalOf({ kind: 'INSTANCE_TERMINATE' }, cluster, []) === undefined;
}

type Conditions = Record<string, Record<string, string>>;

/** Starts an instance whatever its tags are by now: one that was taken off after the stop must not bar the rollback. */
export function startInstances(scope: Construct): PolicyStatement {
  const instances = Stack.of(scope).formatArn({ service: 'ec2', resource: 'instance', resourceName: '*' });
  acknowledgeWildcard(scope, instances, 'Rollback: a target must start again also when its tag was taken off.');
  return new PolicyStatement({ actions: ['ec2:StartInstances'], resources: [instances] });
}

/**
 * An instance with encrypted volumes starts only with a grant for EC2 on their keys: without it a stopped one would
 * stay stopped. For AWS services alone, and only through EC2.
 */
export function startEncrypted(scope: Construct): PolicyStatement {
  const stack = Stack.of(scope);
  const keys = stack.formatArn({ service: 'kms', resource: 'key', resourceName: '*' });
  acknowledgeWildcard(scope, keys, 'Keys of the targets volumes, which are not known here: for grants to EC2 alone.');
  return new PolicyStatement({
    actions: ['kms:CreateGrant'],
    resources: [keys],
    conditions: {
      Bool: { 'kms:GrantIsForAWSResource': 'true' },
      StringEquals: { 'kms:ViaService': `ec2.${stack.region}.${stack.urlSuffix}` },
    },
  });
}

function allowAll(actions: string[]): PolicyStatement {
  return new PolicyStatement({ actions, resources: ['*'] });
}
