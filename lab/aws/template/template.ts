import { existsSync, readFileSync } from 'node:fs';
import { join, resolve as resolvePath } from 'node:path';
import { isObject, type Json, type JsonObject } from '../protocol/json.ts';
import { evaluateCondition, type IntrinsicScope, resolve } from './intrinsics.ts';
import { attributeOf, type NamedResource, namePropertyOf, type Place, refOf } from './resource-names.ts';

/** A resource of the synthesized stack, with its properties resolved. */
export interface Resource extends NamedResource {
  properties: JsonObject;
  /** The ARN, for types that have one. */
  arn: string | undefined;
  ref: string;
}

/** The synthesized stack, everything resolved to physical names: the only source of what the lab runs. */
export interface Template {
  place: Place;
  resources: readonly Resource[];
  outputs: Record<string, Json>;
  ofType(...types: string[]): Resource[];
  /** What `Fn::GetAtt` answers. @throws Error for an attribute that the lab does not know. */
  attribute(logicalId: string, name: string): string;
  /** Directory (or file) of a published file asset. @throws Error when the asset manifest does not name it. */
  assetPath(objectKey: string): string;
}

/**
 * Reads `cdk.out` (manifest, template, asset manifest) and resolves it.
 * @throws Error for an unknown intrinsic, an unknown resource type, or more than one stack.
 */
export function readTemplate(cdkOut: string, place: { accountId: string; region: string }): Template {
  const artifacts = readObject(join(cdkOut, 'manifest.json')).artifacts;
  const stacks = Object.entries(isObject(artifacts) ? artifacts : {}).filter(
    ([, artifact]) => isObject(artifact) && artifact.type === 'aws:cloudformation:stack',
  );
  const [stack] = stacks;
  if (stack === undefined || stacks.length > 1) {
    throw new Error(`${cdkOut}/manifest.json: the lab runs exactly one stack, found ${stacks.length}`);
  }
  const [artifactId, artifact] = stack;
  const properties = isObject(artifact) && isObject(artifact.properties) ? artifact.properties : {};
  const stackName = text(properties.stackName) ?? artifactId;
  const body = readObject(join(cdkOut, text(properties.templateFile) ?? `${artifactId}.template.json`));
  const assetsFile = join(cdkOut, `${artifactId}.assets.json`);
  const assets = existsSync(assetsFile) ? readObject(assetsFile) : {};
  return resolveTemplate(body, { ...place, stackName }, assetPaths(assets, cdkOut));
}

/** Pure: resolves a template body. `assets` maps object key → absolute path. */
export function resolveTemplate(body: JsonObject, place: Place, assets: Map<string, string>): Template {
  const declared = section(body, 'Resources');
  const parameters = section(body, 'Parameters');
  const conditions = section(body, 'Conditions');
  const mappings = section(body, 'Mappings');
  const pseudo: Record<string, Json> = {
    'AWS::AccountId': place.accountId,
    'AWS::Region': place.region,
    'AWS::Partition': 'aws',
    'AWS::URLSuffix': 'amazonaws.com',
    'AWS::StackName': place.stackName,
    'AWS::StackId': `arn:aws:cloudformation:${place.region}:${place.accountId}:stack/${place.stackName}/lab`,
    'AWS::NotificationARNs': [],
  };
  const named = new Map<string, NamedResource>();

  function nameOf(logicalId: string): NamedResource {
    const known = named.get(logicalId);
    if (known !== undefined) return known;
    const resource = declared[logicalId];
    if (!isObject(resource)) throw new Error(`nothing in the template is called ${logicalId}`);
    const type = text(resource.Type) ?? '';
    const nameProperty = namePropertyOf(type, logicalId);
    const explicit =
      nameProperty !== undefined && isObject(resource.Properties) ? resource.Properties[nameProperty] : undefined;
    const name = explicit === undefined ? `${place.stackName}-${logicalId}` : String(resolve(explicit, scope));
    const entry = { type, logicalId, name };
    named.set(logicalId, entry);
    return entry;
  }

  const scope: IntrinsicScope = {
    ref(logicalId) {
      const value = pseudo[logicalId];
      if (value !== undefined) return value;
      const parameter = parameters[logicalId];
      if (isObject(parameter)) {
        if (parameter.Default === undefined) throw new Error(`parameter ${logicalId} has no Default`);
        return parameter.Default;
      }
      return refOf(nameOf(logicalId), place);
    },
    getAtt: (logicalId, attribute) => attributeOf(nameOf(logicalId), attribute, place),
    findInMap(mapping, key, attribute) {
      if (mappings[mapping] === undefined) throw new Error(`nothing in Mappings is called ${mapping}`);
      const value = section(section(mappings, mapping), key)[attribute];
      if (value === undefined) throw new Error(`unable to get mapping for ${mapping}::${key}::${attribute}`);
      return value;
    },
    condition(name) {
      const condition = conditions[name];
      if (condition === undefined) throw new Error(`nothing in Conditions is called ${name}`);
      return evaluateCondition(condition, scope);
    },
  };

  const resources: Resource[] = [];
  for (const [logicalId, resource] of Object.entries(declared)) {
    if (!isObject(resource)) continue;
    const condition = text(resource.Condition);
    if (condition !== undefined && !scope.condition(condition)) continue;
    const named = nameOf(logicalId);
    const properties = resolve(resource.Properties ?? {}, scope);
    const ref = refOf(named, place);
    resources.push({ ...named, ref, properties: isObject(properties) ? properties : {}, arn: arnOf(named, ref) });
  }
  function arnOf(named: NamedResource, ref: string): string | undefined {
    if (ref.startsWith('arn:')) return ref;
    try {
      return attributeOf(named, 'Arn', place);
    } catch {
      return undefined; // the type has no ARN; code that needs one throws
    }
  }

  const outputs: Record<string, Json> = {};
  for (const [logicalId, output] of Object.entries(section(body, 'Outputs'))) {
    if (isObject(output)) outputs[logicalId] = resolve(output.Value ?? null, scope);
  }
  return {
    place,
    resources,
    outputs,
    ofType: (...types) => resources.filter((resource) => types.includes(resource.type)),
    attribute: (logicalId, attribute) => attributeOf(nameOf(logicalId), attribute, place),
    assetPath(objectKey) {
      const path = assets.get(objectKey);
      if (path === undefined) throw new Error(`no file asset is published as ${objectKey}`);
      return path;
    },
  };
}

function assetPaths(manifest: JsonObject, cdkOut: string): Map<string, string> {
  const paths = new Map<string, string>();
  for (const file of Object.values(section(manifest, 'files'))) {
    if (!isObject(file) || !isObject(file.source) || !isObject(file.destinations)) continue;
    const path = text(file.source.path);
    for (const destination of Object.values(file.destinations)) {
      const objectKey = isObject(destination) ? text(destination.objectKey) : undefined;
      if (path !== undefined && objectKey !== undefined) paths.set(objectKey, resolvePath(cdkOut, path));
    }
  }
  return paths;
}

function section(body: JsonObject, name: string): JsonObject {
  const value = body[name];
  return isObject(value) ? value : {};
}

function text(value: Json | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function readObject(path: string): JsonObject {
  const value: Json = JSON.parse(readFileSync(path, 'utf8'));
  if (!isObject(value)) throw new Error(`${path}: expected a JSON object`);
  return value;
}
