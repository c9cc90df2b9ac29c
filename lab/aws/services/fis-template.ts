import { AwsError } from '../protocol/aws-error.ts';
import { isObject, type JsonObject } from '../protocol/json.ts';
import { objectList, refuseUnknownFields, requiredString, stringList } from '../protocol/service.ts';
import { checkAction, type FisAction } from './fis-actions.ts';

const MAX_STOP_CONDITIONS = 5;

/** A template as far as the lab takes one: one action on resources that are named. */
export interface FisTemplate {
  description: string;
  roleArn: string;
  tags: Record<string, string>;
  targets: JsonObject;
  action: FisAction;
  alarmArns: string[];
}

/** @throws AwsError ValidationException for what FIS refuses, and for what the lab would ignore. */
export function parseTemplate(input: JsonObject): FisTemplate {
  refuseUnknownFields(input, [
    ...['clientToken', 'description', 'roleArn', 'tags'],
    ...['stopConditions', 'targets', 'actions'],
  ]);
  const [targets, actions] = [objectAt(input, 'targets'), Object.values(objectAt(input, 'actions')).filter(isObject)];
  const [action, ...others] = actions;
  if (action === undefined || others.length > 0) throw invalid('actions: the lab runs exactly one');
  refuseUnknownFields(action, ['actionId', 'parameters', 'targets']);
  const resourceArns = Object.values(objectAt(action, 'targets')).flatMap((name) => {
    const target = targets[String(name)];
    if (!isObject(target)) throw invalid(`targets.${name}: it does not exist`);
    refuseUnknownFields(target, ['resourceType', 'resourceArns', 'selectionMode']);
    if (target.selectionMode !== 'ALL') throw invalid(`targets.${name}.selectionMode: ALL in the lab`);
    return stringList(target, 'resourceArns');
  });
  if (resourceArns.length === 0) throw invalid('targets: at least one resource');
  const parsed = {
    actionId: requiredString(action, 'actionId'),
    parameters: stringMap(action, 'parameters'),
    resourceArns,
  };
  checkAction(parsed);
  return {
    description: requiredString(input, 'description'),
    roleArn: requiredString(input, 'roleArn'),
    tags: stringMap(input, 'tags'),
    targets,
    action: parsed,
    alarmArns: alarmsOf(input),
  };
}

function alarmsOf(input: JsonObject): string[] {
  const conditions = objectList(input.stopConditions);
  if (conditions.length === 0 || conditions.length > MAX_STOP_CONDITIONS)
    throw invalid(`stopConditions: 1 to ${MAX_STOP_CONDITIONS}`);
  return conditions.flatMap((condition) => {
    if (condition.source === 'none') return [];
    if (condition.source !== 'aws:cloudwatch:alarm') throw invalid('stopConditions: aws:cloudwatch:alarm or none');
    return requiredString(condition, 'value');
  });
}

/** @throws AwsError ValidationException when the field is no map of strings. */
export function stringMap(input: JsonObject, field: string): Record<string, string> {
  const entries = Object.entries(objectAt(input, field));
  return Object.fromEntries(
    entries.map(([name, value]) => {
      if (typeof value !== 'string') throw invalid(`${field}.${name}: expected a string`);
      return [name, value];
    }),
  );
}

function objectAt(input: JsonObject, field: string): JsonObject {
  const value = input[field] ?? {};
  if (isObject(value)) return value;
  throw invalid(`${field}: expected an object`);
}

function invalid(message: string): AwsError {
  return new AwsError('ValidationException', message);
}
