import { AwsError } from '../protocol/aws-error.ts';
import { isObject, type Json, type JsonObject } from '../protocol/json.ts';
import { objectList } from '../protocol/service.ts';
import type { Resource } from '../template/template.ts';

const MAX_DOCUMENT_BYTES = 65_536;
const DEFAULT_EXECUTION_SECONDS = 3600;

/** What a host is asked to run. */
export interface HostScript {
  script: string;
  /** `SSM_<name>` for every parameter. */
  environment: Record<string, string>;
  executionSeconds: number;
}

/** A Run Command document of the template: schema 2.2 with one `aws:runShellScript` step. */
export class SsmDocument {
  readonly name: string;
  readonly #parameters: JsonObject;
  readonly #script: string;
  readonly #timeout: Json | undefined;

  /** @throws Error for what this stand-in would otherwise run differently from AWS. */
  constructor(resource: Resource) {
    const { Content: content } = resource.properties;
    const body: Json = typeof content === 'string' ? JSON.parse(content) : (content ?? null);
    const where = resource.logicalId;
    if (!isObject(body) || body.schemaVersion !== '2.2') throw new Error(`${where}: schemaVersion 2.2 expected`);
    if (JSON.stringify(body).length > MAX_DOCUMENT_BYTES)
      throw new Error(`${where}: a document may have at most 64 KB`);
    const [step, ...others] = objectList(body.mainSteps);
    if (step === undefined || others.length > 0 || step.action !== 'aws:runShellScript') {
      throw new Error(`${where}: the lab knows exactly one step, aws:runShellScript`);
    }
    const inputs = isObject(step.inputs) ? step.inputs : {};
    const lines = Array.isArray(inputs.runCommand) ? inputs.runCommand : [];
    this.name = resource.name;
    this.#script = lines.join('\n');
    this.#timeout = inputs.timeoutSeconds;
    this.#parameters = isObject(body.parameters) ? body.parameters : {};
    if (/\{\{.*?\}\}/.test(this.#script))
      throw new Error(`${where}: {{ }} in a script is an injection; use ENV_VAR parameters`);
    for (const [name, parameter] of Object.entries(this.#parameters)) {
      if (!isObject(parameter) || parameter.type !== 'String' || parameter.interpolationType !== 'ENV_VAR') {
        throw new Error(`${where}.${name}: the lab knows String parameters with interpolationType ENV_VAR`);
      }
    }
  }

  /** @throws AwsError InvalidParameters naming the parameter and what is allowed. */
  bind(given: JsonObject): HostScript {
    const unknown = Object.keys(given).filter((name) => this.#parameters[name] === undefined);
    if (unknown.length > 0) {
      throw new AwsError(
        'InvalidParameters',
        `${unknown.join(', ')}: no parameter of ${this.name}; it has ${Object.keys(this.#parameters).join(', ')}`,
      );
    }
    const environment: Record<string, string> = {};
    for (const [name, definition] of Object.entries(this.#parameters)) {
      if (isObject(definition)) environment[`SSM_${name}`] = bindOne(name, definition, given[name]);
    }
    return { script: this.#script, environment, executionSeconds: this.#executionSeconds(environment) };
  }

  #executionSeconds(environment: Record<string, string>): number {
    const reference = typeof this.#timeout === 'string' ? /^\{\{\s*(\w+)\s*\}\}$/.exec(this.#timeout)?.[1] : undefined;
    const seconds = Number(
      reference === undefined ? (this.#timeout ?? DEFAULT_EXECUTION_SECONDS) : environment[`SSM_${reference}`],
    );
    // The agent's own rule: what is out of range silently becomes an hour.
    return seconds >= 5 && seconds <= 172_800 ? seconds : DEFAULT_EXECUTION_SECONDS;
  }
}

function bindOne(name: string, definition: JsonObject, given: Json | undefined): string {
  const values = given === undefined ? [definition.default ?? null] : Array.isArray(given) ? given : [];
  const [value, ...more] = values;
  if (typeof value !== 'string' || more.length > 0) {
    throw new AwsError('InvalidParameters', `${name}: a list of exactly one string is expected`);
  }
  const pattern = definition.allowedPattern;
  if (typeof pattern === 'string' && !new RegExp(pattern).test(value)) {
    throw new AwsError('InvalidParameters', `${name}: '${value}' does not match ${pattern}`);
  }
  const allowed = definition.allowedValues;
  if (Array.isArray(allowed) && !allowed.includes(value)) {
    throw new AwsError('InvalidParameters', `${name}: '${value}' is not one of ${allowed.join(', ')}`);
  }
  return value;
}
