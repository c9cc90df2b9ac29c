import { randomBytes } from 'node:crypto';
import { rolePrincipal } from '../iam/roles.ts';
import type { Assumer } from '../iam/trust.ts';
import { AwsError } from '../protocol/aws-error.ts';
import { isObject, type Json, type JsonObject } from '../protocol/json.ts';
import type { Authorizer } from '../protocol/principal.ts';
import { type Operation, type RestService, refuseUnknownFields, requiredString } from '../protocol/service.ts';
import type { Template } from '../template/template.ts';
import type { CloudWatch } from './cloudwatch.ts';
import type { Ec2 } from './ec2.ts';
import type { EventBridge } from './eventbridge.ts';
import { runnable } from './fis-actions.ts';
import { FisExperiment } from './fis-experiment.ts';
import { type FisTemplate, parseTemplate, stringMap } from './fis-template.ts';

const ACTIVE_QUOTA = 5;
const MAX_PAGE = 100;
/** Method and path → operation; `{id}` becomes a field of its input. */
const ROUTES: [string, RegExp, string][] = [
  ['POST', /^\/experimentTemplates$/, 'CreateExperimentTemplate'],
  ['GET', /^\/experimentTemplates$/, 'ListExperimentTemplates'],
  ['DELETE', /^\/experimentTemplates\/(?<id>[^/]+)$/, 'DeleteExperimentTemplate'],
  ['POST', /^\/experiments$/, 'StartExperiment'],
  ['GET', /^\/experiments$/, 'ListExperiments'],
  ['GET', /^\/experiments\/(?<id>[^/]+)$/, 'GetExperiment'],
  ['DELETE', /^\/experiments\/(?<id>[^/]+)$/, 'StopExperiment'],
  ['GET', /^\/safetyLevers\/(?<id>[^/]+)$/, 'GetSafetyLever'],
  ['PATCH', /^\/safetyLevers\/(?<id>[^/]+)\/state$/, 'UpdateSafetyLeverState'],
];

export interface FisDependencies {
  template: Template;
  authorizer: Authorizer;
  ec2: Ec2;
  cloudWatch: Pick<CloudWatch, 'alarms' | 'arnOf'>;
  events: Pick<EventBridge, 'emit'>;
}

/** Fault Injection Service: templates and experiments; what they do to instances is really done to the lab's hosts. */
export class Fis implements RestService {
  readonly signingName = 'fis';
  readonly operations: Record<string, Operation>;
  /** One in an account and Region: what is started while it is engaged ends as `cancelled`. */
  safetyLeverEngaged = false;
  #leverReason = '';
  readonly templates = new Map<string, FisTemplate>();
  readonly experiments = new Map<string, FisExperiment>();
  /** Operation and client token → what it made, so that a repeated request makes nothing new. */
  readonly #made = new Map<string, { request: string; id: string }>();
  readonly #dependencies: FisDependencies;

  constructor(dependencies: FisDependencies) {
    this.#dependencies = dependencies;
    const onExperiment = (action: string) => (input: JsonObject) => [
      { action: `fis:${action}`, resource: this.#arn('experiment', String(input.id)), context: this.#tagsOf(input.id) },
    ];
    const onLever =
      (action: string) =>
      ({ id }: JsonObject) => [{ action: `fis:${action}`, resource: this.#arn('safety-lever', String(id)) }];
    const everywhere = (action: string) => () => [{ action: `fis:${action}`, resource: '*' }];
    this.operations = {
      CreateExperimentTemplate: {
        demands: (input) => this.#demandsOfTemplate(input),
        run: (input) => this.#create(input),
      },
      ListExperimentTemplates: {
        demands: everywhere('ListExperimentTemplates'),
        run: (input) => this.#listTemplates(input),
      },
      DeleteExperimentTemplate: {
        demands: ({ id }) => [
          {
            action: 'fis:DeleteExperimentTemplate',
            resource: this.#arn('experiment-template', String(id)),
            context: this.#tagsOf(id ?? null),
          },
        ],
        run: (input) => this.#delete(input),
      },
      StartExperiment: { demands: (input) => this.#demandsOfStart(input), run: (input) => this.#start(input) },
      ListExperiments: { demands: everywhere('ListExperiments'), run: (input) => this.#listExperiments(input) },
      GetExperiment: { demands: onExperiment('GetExperiment'), run: ({ id }) => this.#show(this.#find(id)) },
      StopExperiment: { demands: onExperiment('StopExperiment'), run: ({ id }) => this.#stop(this.#find(id)) },
      GetSafetyLever: { demands: onLever('GetSafetyLever'), run: (input) => this.#showLever(input) },
      UpdateSafetyLeverState: {
        demands: onLever('UpdateSafetyLeverState'),
        run: (input) => this.setSafetyLever(input),
      },
    };
  }

  route(method: string, path: string): { operation: string; fields: Record<string, string> } | undefined {
    for (const [verb, pattern, operation] of ROUTES) {
      const found = verb === method ? pattern.exec(path) : null;
      if (found) return { operation, fields: { ...found.groups } };
    }
    return undefined;
  }

  #assumer(id: string): Assumer {
    return { service: 'fis.amazonaws.com', sourceArn: this.#arn('experiment', id) };
  }

  #arn(type: string, id: string): string {
    const { accountId, region } = this.#dependencies.template.place;
    return `arn:aws:fis:${region}:${accountId}:${type}/${id}`;
  }

  #tagsOf(id: Json | undefined): Record<string, string> {
    const key = String(id);
    return tagContext('aws:ResourceTag', this.experiments.get(key)?.tags ?? this.templates.get(key)?.tags ?? {});
  }

  #demandsOfTemplate(input: JsonObject) {
    const { action, roleArn, tags } = parseTemplate(input);
    const context = tagContext('aws:RequestTag', tags);
    const resource = this.#arn('experiment-template', 'new');
    return [
      { action: 'fis:CreateExperimentTemplate', resource: this.#arn('action', action.actionId), context },
      { action: 'fis:CreateExperimentTemplate', resource, context },
      ...(Object.keys(tags).length > 0 ? [{ action: 'fis:TagResource', resource, context }] : []),
      { action: 'iam:PassRole', resource: roleArn, context: { 'iam:PassedToService': 'fis.amazonaws.com' } },
    ];
  }

  #demandsOfStart(input: JsonObject) {
    const templateId = requiredString(input, 'experimentTemplateId');
    const tags = tagContext('aws:RequestTag', stringMap(input, 'tags'));
    const resource = this.#arn('experiment', 'new');
    const template = this.#arn('experiment-template', templateId);
    return [
      { action: 'fis:StartExperiment', resource: template, context: { ...tags, ...this.#tagsOf(templateId) } },
      { action: 'fis:StartExperiment', resource, context: tags },
      ...(Object.keys(tags).length > 0 ? [{ action: 'fis:TagResource', resource, context: tags }] : []),
    ];
  }

  #create(input: JsonObject): object {
    const parsed = parseTemplate(input);
    // As FIS does: it takes the role when the experiment starts, but a role that does not trust it is refused here.
    try {
      rolePrincipal(this.#dependencies.template, parsed.roleArn, this.#assumer('check'), 'check');
    } catch (error) {
      throw new AwsError('ValidationException', `roleArn: ${String(error)}`);
    }
    const id = this.#once('CreateExperimentTemplate', input, () => {
      const made = newId('EXT');
      this.templates.set(made, parsed);
      return made;
    });
    return { experimentTemplate: { id, tags: parsed.tags, roleArn: parsed.roleArn } };
  }

  #delete({ id }: JsonObject): object {
    if (!this.templates.delete(String(id))) throw notFound(`experiment template ${id}`);
    return { experimentTemplate: { id: String(id) } };
  }

  #start(input: JsonObject): object {
    refuseUnknownFields(input, ['clientToken', 'experimentTemplateId', 'tags']);
    const templateId = requiredString(input, 'experimentTemplateId');
    const id = this.#once('StartExperiment', input, () => {
      const template = this.templates.get(templateId);
      if (template === undefined) throw notFound(`experiment template ${templateId}`);
      const active = [...this.experiments.values()].filter(({ isOver }) => !isOver).length;
      if (active >= ACTIVE_QUOTA)
        throw new AwsError('ServiceQuotaExceededException', `${ACTIVE_QUOTA} experiments are active`, 402);
      return this.#begin(templateId, template, stringMap(input, 'tags')).id;
    });
    return this.#show(this.#find(id));
  }

  #begin(templateId: string, template: FisTemplate, tags: Record<string, string>): FisExperiment {
    const { template: stack, authorizer, ec2, cloudWatch, events } = this.#dependencies;
    const id = newId('EXP');
    const alarmNamed = (arn: string) => [...cloudWatch.alarms].find(([name]) => cloudWatch.arnOf(name) === arn);
    const experiment = new FisExperiment(
      { id, templateId, template, tags },
      {
        onChange: (now, before) =>
          events.emit({
            source: 'aws.fis',
            'detail-type': 'FIS Experiment State Change',
            resources: [this.#arn('experiment', id)],
            detail: {
              'experiment-id': id,
              'experiment-template-id': templateId,
              'new-state': { ...now },
              'old-state': { ...before },
            },
          }),
        isLeverEngaged: () => this.safetyLeverEngaged,
        firingAlarm: () => template.alarmArns.map(alarmNamed).find((found) => found?.[1].state === 'ALARM')?.[0],
        prepare: async () => {
          const gone = template.alarmArns.filter((arn) => alarmNamed(arn) === undefined);
          if (gone.length > 0) throw new Error(`stop condition ${gone.join(', ')} does not exist`);
          const action = runnable(template.action, ec2);
          const principal = rolePrincipal(stack, template.roleArn, this.#assumer(id), id);
          await authorizer.require(principal, action.demands);
          return action;
        },
      },
    );
    this.experiments.set(id, experiment);
    experiment.run().catch((error: unknown) => console.error(`fis: ${id}:`, error));
    return experiment;
  }

  #stop(experiment: FisExperiment): object {
    if (experiment.isOver)
      throw new AwsError('ValidationException', `experiment ${experiment.id} is ${experiment.state}`);
    experiment.stop('Experiment stopped by user.');
    return this.#show(experiment);
  }

  /** Engaged, it ends what runs, whoever started it. */
  setSafetyLever(input: JsonObject): object {
    refuseUnknownFields(input, ['id', 'state']);
    const { status, reason } = isObject(input.state) ? input.state : {};
    if (typeof reason !== 'string' || (status !== 'engaged' && status !== 'disengaged'))
      throw new AwsError(
        'ValidationException',
        'state: status is engaged or disengaged, and a reason stands beside it',
      );
    // As the API reference says: the reason of a status that stays is not changed.
    const stays = this.safetyLeverEngaged === (status === 'engaged');
    if (stays && reason !== this.#leverReason)
      throw new AwsError('ConflictException', `the safety lever is ${status} already: its reason stays`, 409);
    this.safetyLeverEngaged = status === 'engaged';
    this.#leverReason = reason;
    const running = [...this.experiments.values()].filter(({ isOver }) => !isOver);
    if (this.safetyLeverEngaged) for (const experiment of running) experiment.stop('The safety lever was engaged.');
    return this.#showLever(input);
  }

  #showLever({ id }: JsonObject): object {
    if (id !== 'default') throw notFound(`safety lever ${id}`);
    const stops = this.safetyLeverEngaged && [...this.experiments.values()].some(({ isOver }) => !isOver);
    const status = this.safetyLeverEngaged ? (stops ? 'engaging' : 'engaged') : 'disengaged';
    return {
      safetyLever: {
        ...{ id, arn: this.#arn('safety-lever', id) },
        state: { status, ...(this.#leverReason === '' ? {} : { reason: this.#leverReason }) },
      },
    };
  }

  #find(id: Json | undefined): FisExperiment {
    const experiment = this.experiments.get(String(id));
    if (experiment === undefined) throw notFound(`experiment ${id}`);
    return experiment;
  }

  #show(experiment: FisExperiment): object {
    const { id, templateId, template, tags, createdMs, startedMs, endedMs } = experiment;
    const { targets, roleArn, action } = template;
    const begun = startedMs === undefined ? {} : { startTime: startedMs / 1000 };
    return {
      experiment: {
        ...{ id, experimentTemplateId: templateId, roleArn, tags, targets },
        state: stateOf(experiment),
        creationTime: createdMs / 1000,
        ...begun,
        // The one action begins with the experiment and has no start time before.
        actions: { fault: { actionId: action.actionId, ...begun } },
        ...(endedMs === undefined ? {} : { endTime: endedMs / 1000 }),
      },
    };
  }

  #listExperiments(input: JsonObject): object {
    const all = [...this.experiments.values()].map((experiment) => ({
      ...{ id: experiment.id, experimentTemplateId: experiment.templateId, tags: experiment.tags },
      creationTime: experiment.createdMs / 1000,
      state: stateOf(experiment),
    }));
    const { items, ...next } = page(all, input);
    return { experiments: items, ...next };
  }

  #listTemplates(input: JsonObject): object {
    const all = [...this.templates].map(([id, { tags, description }]) => ({ id, tags, description }));
    const { items, ...next } = page(all, input);
    return { experimentTemplates: items, ...next };
  }

  /** @throws AwsError ConflictException when the token stood for another request */
  #once(operation: string, input: JsonObject, make: () => string): string {
    const key = `${operation} ${requiredString(input, 'clientToken')}`;
    const request = JSON.stringify(input);
    const known = this.#made.get(key);
    if (known !== undefined && known.request !== request)
      throw new AwsError('ConflictException', 'clientToken: it was used for another request', 409);
    const id = known?.id ?? make();
    this.#made.set(key, { request, id });
    return id;
  }
}

function stateOf({ state, reason }: FisExperiment): object {
  return { status: state, ...(reason === '' ? {} : { reason }) };
}

function page<T>(all: T[], { maxResults, nextToken }: JsonObject): { items: T[]; nextToken?: string } {
  const [from, size] = [Number(nextToken ?? 0), Math.min(Number(maxResults ?? MAX_PAGE), MAX_PAGE)];
  const items = all.slice(from, from + size);
  return { items, ...(from + size < all.length ? { nextToken: String(from + size) } : {}) };
}

function tagContext(key: 'aws:RequestTag' | 'aws:ResourceTag', tags: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(tags).map(([name, value]) => [`${key}/${name}`, value]));
}

function newId(prefix: string): string {
  return prefix + randomBytes(9).toString('hex');
}

function notFound(what: string): AwsError {
  return new AwsError('ResourceNotFoundException', `${what} does not exist`, 404);
}
