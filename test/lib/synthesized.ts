import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { ControlFunction } from '../../lib/control-function.ts';
import { ControlPlaneStack } from '../../lib/control-plane-stack.ts';
import { loadConfiguration } from '../../lib/load-configuration.ts';

/** A deprecated construct or property is an error in every test of this folder. */
process.env.JSII_DEPRECATED = 'fail';

const root = fileURLToPath(new URL('../..', import.meta.url));
const { context } = JSON.parse(readFileSync(`${root}cdk.json`, 'utf8'));

/** The stack of the lab's configuration as the CLI would make it, except that nothing is bundled. */
export const app = new App({ context: { ...context, 'aws:cdk:bundling-stacks': [] } });
export const stack = new ControlPlaneStack(app, 'Holdfast', await loadConfiguration(`${root}lab/holdfast.config.ts`));
export const template = Template.fromStack(stack);

/** An app of its own for a construct that is tested with another choice; bundles nothing either. */
export const emptyStack = () => new Stack(new App({ context: { ...context, 'aws:cdk:bundling-stacks': [] } }), 'Other');

export interface Resource {
  Type: string;
  Properties: Record<string, unknown>;
  DeletionPolicy?: string;
  UpdateReplacePolicy?: string;
}
export const resources: Record<string, Resource> = template.toJSON().Resources;

export function ofType(type: string): [string, Resource][] {
  return Object.entries(resources).filter(([, resource]) => resource.Type === type);
}

export const functions: ControlFunction[] = stack.node.findAll().filter((node) => node instanceof ControlFunction);

/** @throws Error when no function of the stack has this entry point. */
export function functionAt(entryPoint: string): ControlFunction {
  const found = functions.find((candidate) => candidate.entryPoint === entryPoint);
  if (!found) throw new Error(`no function with the entry point ${entryPoint}`);
  return found;
}

export function propertiesOf(controlFunction: ControlFunction): Record<string, unknown> {
  return resources[logicalId(controlFunction)]?.Properties ?? {};
}

/** Logical id of the construct's own resource. */
export function logicalId(construct: { node: { defaultChild?: unknown } }): string {
  // Every construct that is asked for here has a resource of CloudFormation for its default child.
  return Stack.of(stack).resolve((construct.node.defaultChild as { logicalId: string }).logicalId);
}
