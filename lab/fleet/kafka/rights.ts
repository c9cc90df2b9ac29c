import { type Acl, AclOperations, AclPermissionTypes, ResourcePatternTypes, ResourceTypes } from '@platformatic/kafka';
import { APPLICATION } from '../store-keys.ts';
import { ORDERS, PROBE, RECEIPTS, WORKERS_GROUP } from './topics.ts';
import { FUNCTIONS } from './users.ts';

type Operation = keyof typeof AclOperations;
type Right = [resource: 'CLUSTER' | 'TOPIC' | 'GROUP', name: string, ...operations: Operation[]];

const EVERY = '*';
/** User → what it may do. Whoever may read or write a topic may describe it. */
const RIGHTS: Readonly<Record<string, readonly Right[]>> = {
  [APPLICATION]: [
    ['TOPIC', ORDERS, 'READ', 'WRITE'],
    ['TOPIC', RECEIPTS, 'READ', 'WRITE'],
    ['GROUP', WORKERS_GROUP, 'READ'],
  ],
  [FUNCTIONS]: [
    ['CLUSTER', 'kafka-cluster', 'DESCRIBE', 'DESCRIBE_CONFIGS'],
    ['TOPIC', EVERY, 'DESCRIBE', 'DESCRIBE_CONFIGS'],
    ['TOPIC', PROBE, 'READ', 'WRITE'],
    ['GROUP', EVERY, 'DESCRIBE'],
  ],
};

/** What the authorizer is to hold. */
export function accessControl(): Acl[] {
  return Object.entries(RIGHTS).flatMap(([user, rights]) =>
    rights.flatMap(([resource, resourceName, ...operations]) =>
      operations.map((operation) => ({
        resourceType: ResourceTypes[resource],
        resourceName,
        resourcePatternType: ResourcePatternTypes.LITERAL,
        principal: `User:${user}`,
        host: EVERY,
        operation: AclOperations[operation],
        permissionType: AclPermissionTypes.ALLOW,
      })),
    ),
  );
}
