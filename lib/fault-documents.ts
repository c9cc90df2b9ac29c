import { Aws, Stack } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { CfnDocument } from 'aws-cdk-lib/aws-ssm';
import { Construct } from 'constructs';
import { HOST_FAULT_KINDS, scriptName } from '../functions/domain/faults/catalogue.ts';
import type { DocumentParameter } from '../functions/domain/faults/kind.ts';
import { ENVIRONMENT, ROLL_BACK_DOCUMENT } from '../functions/domain/names.ts';
import { RUN_COMMAND_TIMEOUT_SECONDS } from '../functions/domain/timing.ts';
import type { Configuration } from '../functions/engines/configuration.ts';
import { acknowledgeWildcard } from './acknowledge.ts';
import { PROJECT_ROOT } from './bundle.ts';
import { allow, type Capability } from './capability.ts';
import { composeProgram } from './compose-program.ts';
import { documentParameters, ROLL_BACK_PARAMETERS } from './document-parameters.ts';
import { SharedLines } from './shared-lines.ts';

const HOST_DIRECTORY = `${PROJECT_ROOT}host/`;

/** One SSM document a fault kind of the hosts and one for the rollback; a target needs nothing installed beforehand. */
export class FaultDocuments extends Construct {
  readonly prefix: string;
  private readonly targetTag: Configuration['targetTag'];

  /** @param leaseTable name (a token) of the table the hosts obey: part of the documents, not a choice of their sender. */
  constructor(scope: Construct, id: string, targetTag: Configuration['targetTag'], leaseTable: string) {
    super(scope, id);
    this.targetTag = targetTag;
    this.prefix = `Holdfast-${Stack.of(this).stackName}-`;
    const programs = HOST_FAULT_KINDS.map((kind) => {
      const [shebang = '', ...program] = composeProgram(HOST_DIRECTORY, [kind]);
      const facts = { [ENVIRONMENT.leaseTable]: leaseTable, [ENVIRONMENT.urlSuffix]: Aws.URL_SUFFIX };
      const exported = Object.entries(facts).map(([name, value]) => `export ${name}=${value}`);
      return { kind, lines: [shebang, ...exported, ...program] };
    });
    const shared = new SharedLines(
      this,
      'Lines',
      programs.map(({ lines }) => lines),
    );
    for (const { kind, lines } of programs) {
      this.addDocument(scriptName(kind), shared.referredTo(lines), documentParameters(kind));
    }
    this.addDocument(ROLL_BACK_DOCUMENT, composeProgram(HOST_DIRECTORY, HOST_FAULT_KINDS), ROLL_BACK_PARAMETERS);
  }

  /** Send fault documents, and only those, to instances that carry the target tag. */
  inject(): Capability {
    const { key, value } = this.targetTag;
    return this.send(HOST_FAULT_KINDS.map(scriptName), { StringEquals: { [`ssm:resourceTag/${key}`]: value } });
  }

  /** Send the roll-back document, and only that, to any instance: a tag removed meanwhile must not bar the rollback. */
  rollBack(): Capability {
    return this.send([ROLL_BACK_DOCUMENT], {});
  }

  /** Send the roll-back document, whose verb `start` it is for, to instances that carry the target tag. */
  startStore(): Capability {
    const { key, value } = this.targetTag;
    return this.send([ROLL_BACK_DOCUMENT], { StringEquals: { [`ssm:resourceTag/${key}`]: value } });
  }

  private addDocument(name: string, program: string[], parameters: Readonly<Record<string, DocumentParameter>>): void {
    new CfnDocument(this, name, {
      name: `${this.prefix}${name}`,
      documentType: 'Command',
      documentFormat: 'JSON',
      targetType: '/AWS::EC2::Instance',
      updateMethod: 'NewVersion',
      content: documentContent(name, program, parameters),
    });
  }

  /** Two statements: SSM looks for the tag on the document too if both stand in one. */
  private send(names: string[], conditions: Record<string, Record<string, string>>): Capability {
    const stack = Stack.of(this);
    const documents = names.map((name) =>
      stack.formatArn({ service: 'ssm', resource: 'document', resourceName: `${this.prefix}${name}` }),
    );
    const instances = stack.formatArn({ service: 'ec2', resource: 'instance', resourceName: '*' });
    acknowledgeWildcard(
      stack,
      instances,
      `A fault: every instance that carries the tag ${this.targetTag.key}. The rollback: every instance, tagged or not.`,
    );
    return {
      statements: [
        new PolicyStatement({ actions: ['ssm:SendCommand'], resources: documents }),
        new PolicyStatement({
          actions: ['ssm:SendCommand'],
          resources: [instances],
          conditions,
        }),
        // The result of a command that this function sent; the action knows no resources.
        ...allow(['ssm:GetCommandInvocation'], ['*']).statements,
      ],
      environment: { [ENVIRONMENT.documentPrefix]: this.prefix },
    };
  }
}

/** Schema 2.2. Parameters reach the script as `SSM_<name>` in the environment and are never pasted into it. */
export function documentContent(
  name: string,
  program: string[],
  parameters: Readonly<Record<string, DocumentParameter>>,
) {
  return {
    schemaVersion: '2.2',
    description: `Holdfast: ${name}`,
    parameters: Object.fromEntries(
      Object.entries(parameters).map(([parameter, { description, pattern }]) => [
        parameter,
        { type: 'String', description, interpolationType: 'ENV_VAR', allowedPattern: pattern },
      ]),
    ),
    mainSteps: [
      {
        action: 'aws:runShellScript',
        name: name.replaceAll('-', ''),
        precondition: { StringEquals: ['platformType', 'Linux'] },
        inputs: { timeoutSeconds: String(RUN_COMMAND_TIMEOUT_SECONDS), runCommand: program },
      },
    ],
  };
}
