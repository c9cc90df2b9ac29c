import type { Json } from '../../lab/aws/protocol/json.ts';
import { resolve } from '../../lab/aws/template/intrinsics.ts';
import { ofType, template } from './synthesized.ts';

interface Content {
  schemaVersion: string;
  parameters: Record<string, { type: string; interpolationType: string; allowedPattern: string; default?: string }>;
  mainSteps: { action: string; inputs: { runCommand: string[]; timeoutSeconds: string } }[];
}

type Mappings = Record<string, Record<string, Record<string, string>>>;
export const mappings: Mappings = template.toJSON().Mappings;

/** As it is deployed, but for names that only the deployment knows. */
function deployed(content: unknown): Content {
  const scope = {
    ref: (id: string) => `Ref:${id}`,
    getAtt: (id: string, attribute: string) => `GetAtt:${id}.${attribute}`,
    condition: () => false,
    findInMap: (mapping: string, key: string, attribute: string) => mappings[mapping]?.[key]?.[attribute] ?? null,
  };
  // Its shape is what the tests of documents are about.
  return resolve(content as Json, scope) as unknown as Content;
}

/** By their whole names. */
export const documents = new Map(
  ofType('AWS::SSM::Document').map(([, { Properties: p }]) => [String(p.Name), deployed(p.Content)]),
);

/** @throws Error when there is no such document. */
export function named(name: string): Content {
  const content = documents.get(`Holdfast-Holdfast-${name}`);
  if (!content) throw new Error(`no document ${name}`);
  return content;
}

export const scriptOf = (content: Content) => content.mainSteps.flatMap((step) => step.inputs.runCommand);
