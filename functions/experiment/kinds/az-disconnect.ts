import { z } from 'zod';
import { availabilityZone, NODE_LIST, nodeNames } from './fields.ts';
import { wholeMinutes } from './instances.ts';
import { serviceKind } from './kind.ts';

export const azDisconnect = serviceKind({
  kind: 'AZ_DISCONNECT',
  description:
    'Cuts the subnets of the nodes in one availability zone off from the other zones of the VPC; traffic inside the ' +
    'zone goes on. It hits everything in those subnets, so it is for staging only.',
  stagingOnly: true,
  schema: z.strictObject({ targetNodes: nodeNames, availabilityZone }),
  allowed: {
    targetNodes: `${NODE_LIST}: exactly the live nodes of the cluster in that zone`,
    availabilityZone: 'the name of an availability zone, as in eu-west-1a',
  },
  faultState: 'DISCONNECTED',
  example: { targetNodes: ['redis-node-3'], availabilityZone: 'eu-west-1a' },
  resource: 'subnet',
  impactedNodes: ({ targetNodes }) => targetNodes,
  refuseTargets: ({ availabilityZone: zone }, { impacted }) => {
    const elsewhere = impacted.filter((node) => node.availabilityZone !== zone).map(({ name }) => name);
    return elsewhere.length > 0 ? `${elsewhere.join(', ')}: not in ${zone}` : undefined;
  },
  action: (_parameters, { impacted }, remainingSeconds) => {
    const duration = wholeMinutes(remainingSeconds);
    return {
      actionId: 'aws:network:disrupt-connectivity',
      parameters: { scope: 'availability-zone', duration: duration.text },
      target: {
        name: 'Subnets',
        resourceType: 'aws:ec2:subnet',
        resources: [...new Set(impacted.map(({ subnetId }) => subnetId))].map((id) => ({ kind: 'subnet', id })),
      },
      undo: ['stop the FIS experiment: the subnets get their own network ACLs back'],
      boundSeconds: duration.seconds,
    };
  },
});
