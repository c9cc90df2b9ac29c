import { CfnMapping, Token } from 'aws-cdk-lib';
import { Construct } from 'constructs';

/** What CloudFormation takes in one mapping, and in one of its values. */
const [MAX_ATTRIBUTES, MAX_BYTES] = [200, 1024];
/** A shorter line takes no more room than what refers to it. */
const MIN_LENGTH = 100;
const KEY = 'lines';

/** Lines that several texts have, once in the template: CloudFormation puts them back where they are referred to. */
export class SharedLines extends Construct {
  private readonly mapping: CfnMapping;
  private readonly names: ReadonlyMap<string, string>;

  /** @throws Error when there are more than a mapping holds. */
  constructor(scope: Construct, id: string, texts: readonly (readonly string[])[]) {
    super(scope, id);
    const lines = texts.flatMap((text) => [...new Set(text)]).filter(fits);
    const shared = [...new Set(lines.filter((line, at) => lines.indexOf(line) < at))];
    if (shared.length > MAX_ATTRIBUTES) throw new Error(`${shared.length} lines are more than one mapping holds`);
    this.names = new Map(shared.map((line, at) => [line, `l${at + 1}`]));
    const attributes = Object.fromEntries([...this.names].map(([line, name]) => [name, line]));
    this.mapping = new CfnMapping(this, 'Mapping', { mapping: { [KEY]: attributes }, lazy: false });
  }

  /** The same text, to be put into the template. */
  referredTo(text: readonly string[]): string[] {
    return text.map((line) => {
      const name = this.names.get(line);
      return name === undefined ? line : this.mapping.findInMap(KEY, name);
    });
  }
}

/** A mapping takes nothing that only the deployment knows. */
function fits(line: string): boolean {
  return line.length >= MIN_LENGTH && Buffer.byteLength(line) <= MAX_BYTES && !Token.isUnresolved(line);
}
