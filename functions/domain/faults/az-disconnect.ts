import { fisKind } from './define-kind.ts';
import { availabilityZone } from './fields.ts';
import { fisNodeNames, wholeMinutes } from './instances.ts';
import { refuseSubnets, subnetIdsOf } from './subnets.ts';

export const azDisconnect = fisKind({
  kind: 'AZ_DISCONNECT',
  description:
    'Cuts the subnets of the nodes in one availability zone off from the other zones of the VPC; traffic inside the ' +
    'zone goes on. Refused where anything else stands in those subnets, and outside of staging.',
  stagingOnly: true,
  fields: {
    targetNodes: {
      ...fisNodeNames,
      words: `${fisNodeNames.words}; exactly the live nodes of the cluster in that zone`,
    },
    availabilityZone,
  },
  faultState: 'DISCONNECTED',
  example: { targetNodes: ['node-3'], availabilityZone: 'eu-west-1a' },
  resource: 'subnet',
  impactedNodes: ({ targetNodes }) => targetNodes,
  refuseTargets: ({ availabilityZone: zone }, { impacted }) => {
    const elsewhere = impacted.filter((node) => node.availabilityZone !== zone).map(({ name }) => name);
    return elsewhere.length > 0 ? `${elsewhere.join(', ')}: not in ${zone}` : undefined;
  },
  refuseSurroundings: ({ availabilityZone: zone, targetNodes }, fault, surroundings) => {
    const missing = surroundings.nodes
      .filter((node) => node.availabilityZone === zone && !targetNodes.includes(node.name))
      .map(({ name }) => name);
    if (missing.length > 0) {
      return `targetNodes must be exactly the live nodes of the cluster in ${zone}; not named: ${missing.join(', ')}`;
    }
    return refuseSubnets(fault, surroundings);
  },
  irreversible:
    'no fence stands on the hosts: a leader that is cut off may go on taking writes from clients in its zone, and those ' +
    'that it acknowledged after another had taken over may be lost when it is healed',
  action: (_parameters, { impacted }, remainingSeconds) => {
    const duration = wholeMinutes(remainingSeconds);
    return {
      actionId: 'aws:network:disrupt-connectivity',
      parameters: { scope: 'availability-zone', duration: duration.text },
      target: {
        name: 'Subnets',
        resourceType: 'aws:ec2:subnet',
        resources: subnetIdsOf({ impacted }).map((id) => ({ kind: 'subnet', id })),
      },
      undo: ['stop the FIS experiment: the subnets get their own network ACLs back'],
      boundSeconds: duration.seconds,
    };
  },
});
