import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

/** AWS's own description of a service, as botocore ships it: the parts that the referee reads. */
export interface ServiceModel {
  metadata: { protocol: string; protocols?: string[]; targetPrefix?: string };
  operations: Record<string, OperationModel>;
  shapes: Record<string, Shape>;
}

export interface OperationModel {
  name: string;
  http: { method: string; requestUri: string; responseCode?: number };
  input?: { shape: string };
  output?: { shape: string };
  errors?: { shape: string }[];
}

export interface Member {
  shape: string;
  /** Where a REST protocol puts it; absent: in the body. */
  location?: 'uri' | 'querystring' | 'header' | 'headers' | 'statusCode';
  locationName?: string;
  /** Its name in EC2's forms, where it is not `locationName` with a capital. */
  queryName?: string;
}

export interface Shape {
  type: string;
  required?: string[];
  members?: Record<string, Member>;
  /** Of a list. */
  member?: Member;
  /** Of a map. */
  key?: Member;
  value?: Member;
  enum?: string[];
  pattern?: string;
  /** Characters, bytes, items or the value itself. */
  min?: number;
  max?: number;
  /** Exactly one member is set. */
  union?: boolean;
  /** The member that is the whole body of a REST message. */
  payload?: string;
  error?: { code?: string; httpStatusCode?: number };
}

/** Signing name of a service that the lab stands in for → its folder in botocore. */
const FOLDERS: Record<string, string> = {
  autoscaling: 'autoscaling',
  dynamodb: 'dynamodb',
  ec2: 'ec2',
  events: 'events',
  fis: 'fis',
  lambda: 'lambda',
  monitoring: 'cloudwatch',
  s3: 's3',
  secretsmanager: 'secretsmanager',
  sns: 'sns',
  ssm: 'ssm',
  states: 'stepfunctions',
};

/** @param packages the directory in which `botocore/` is. @returns signing name → the newest model of that service. */
export function readModels(packages: string): Map<string, ServiceModel> {
  const models = new Map<string, ServiceModel>();
  for (const [signingName, folder] of Object.entries(FOLDERS)) {
    const directory = join(packages, 'botocore/data', folder);
    // A folder for each version of the API, which is a date.
    const version = readdirSync(directory)
      .filter((name) => /^\d{4}-\d\d-\d\d$/.test(name))
      .sort()
      .at(-1);
    if (version === undefined) throw new Error(`${directory}: no version of an API`);
    const text = gunzipSync(readFileSync(join(directory, version, 'service-2.json.gz'))).toString('utf8');
    models.set(signingName, JSON.parse(text));
  }
  return models;
}

/** @throws Error for a shape that is not in the model. */
export function shapeNamed(model: ServiceModel, name: string): Shape {
  const shape = model.shapes[name];
  if (shape === undefined) throw new Error(`the model has no shape ${name}`);
  return shape;
}
