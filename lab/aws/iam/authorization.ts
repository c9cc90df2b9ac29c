import { runSimulation } from '@cloud-copilot/iam-simulate';
import { AwsError } from '../protocol/aws-error.ts';
import type { Authorizer, Demand, Principal } from '../protocol/principal.ts';

/** Decides as IAM does, with a maintained evaluator. Decisions are cached: a host asks the same twice a second. */
export class IamAuthorizer implements Authorizer {
  readonly #accountId: string;
  readonly #region: string;
  readonly #onDenied: (principal: Principal, demand: Demand) => void;
  readonly #decisions = new Map<string, Promise<boolean>>();

  constructor(accountId: string, region: string, onDenied: (principal: Principal, demand: Demand) => void) {
    this.#accountId = accountId;
    this.#region = region;
    this.#onDenied = onDenied;
  }

  async require(principal: Principal, demands: readonly Demand[], sourceIp?: string): Promise<void> {
    for (const demand of demands) {
      const context = {
        ...demand.context,
        ...principal.context,
        'aws:RequestedRegion': this.#region,
        'aws:SecureTransport': 'true',
        'aws:PrincipalIsAWSService': String(!principal.identityArn.startsWith('arn:')),
        // Of a session this is its role, not the session. Services acting by themselves have none.
        ...(principal.identityArn.startsWith('arn:')
          ? { 'aws:PrincipalArn': principal.identityArn, 'aws:PrincipalAccount': this.#accountId }
          : {}),
        ...(sourceIp === undefined ? {} : { 'aws:SourceIp': sourceIp }),
      };
      const key = JSON.stringify([principal.arn, demand.action, demand.resource, context, demand.resourcePolicy]);
      const known = this.#decisions.get(key);
      const decision = known ?? this.#decide(principal, demand, context);
      if (known === undefined) {
        if (this.#decisions.size > 10_000) this.#decisions.clear();
        this.#decisions.set(key, decision);
      }
      if (await decision) continue;
      this.#onDenied(principal, demand);
      throw new AwsError(
        'AccessDeniedException',
        `User: ${principal.arn} is not authorized to perform: ${demand.action} on resource: ${demand.resource}`,
        403,
      );
    }
  }

  async #decide(principal: Principal, demand: Demand, context: Record<string, string | string[]>): Promise<boolean> {
    const result = await runSimulation(
      {
        request: {
          principal: principal.arn,
          action: demand.action,
          resource: { resource: demand.resource, accountId: this.#accountId },
          contextVariables: context,
        },
        identityPolicies: principal.policies.map((policy, index) => ({
          name: `${index} ${policy.name}`,
          policy: policy.document,
        })),
        serviceControlPolicies: [],
        resourceControlPolicies: [],
        ...(demand.resourcePolicy === undefined ? {} : { resourcePolicy: demand.resourcePolicy }),
      },
      { simulationMode: 'Strict' },
    );
    if (result.resultType === 'error') {
      throw new Error(`cannot evaluate ${demand.action} on ${demand.resource}: ${JSON.stringify(result.errors)}`);
    }
    return result.overallResult === 'Allowed';
  }
}
