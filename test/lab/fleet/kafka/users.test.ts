import { readFileSync } from 'node:fs';
import { AclOperations, ResourceTypes } from '@platformatic/kafka';
import { expect, test } from 'vitest';
import { accessControl } from '../../../../lab/fleet/kafka/rights.ts';

const GUIDE = readFileSync(new URL('../../../../docs/engines/kafka.md', import.meta.url), 'utf8');
/** `Describe` → `DESCRIBE`, `DescribeConfigs` → `DESCRIBE_CONFIGS`. */
const constant = (name: string) => name.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase();
const labelled = (values: Record<string, number>, value: number) =>
  Object.keys(values).find((label) => values[label] === value) ?? String(value);

test('in the lab, the user of the functions has exactly the ACLs that the guide asks for', () => {
  const asked = [...GUIDE.matchAll(/^acl (.*) --(cluster|topic|group)(?: '?([^'\n]+?)'?)?$/gm)].flatMap(
    ([, operations = '', resource = '', name = 'kafka-cluster']) =>
      [...operations.matchAll(/--operation (\w+)/g)].map(
        ([, operation = '']) => `${constant(operation)} ${resource.toUpperCase()} ${name}`,
      ),
  );
  const given = accessControl()
    .filter(({ principal }) => principal === 'User:holdfast')
    .map(
      ({ operation, resourceType, resourceName }) =>
        `${labelled(AclOperations, operation)} ${labelled(ResourceTypes, resourceType)} ${resourceName}`,
    );
  expect(asked.length).toBeGreaterThan(3);
  expect(asked.sort()).toEqual(given.sort());
});
