import type { IncomingMessage, ServerResponse } from 'node:http';

import * as z from 'zod';
import { isObject, type Json, type JsonObject } from './protocol/json.ts';
import type { Outages } from './protocol/outages.ts';
import { ALARM_STATES, type CloudWatch } from './services/cloudwatch.ts';
import type { DynamoDb } from './services/dynamodb.ts';
import type { EventBridge } from './services/eventbridge.ts';
import type { Fis } from './services/fis.ts';
import type { Instances } from './services/instances.ts';
import type { Lambda } from './services/lambda.ts';
import type { Scheduler } from './services/scheduler.ts';
import type { Sns } from './services/sns.ts';
import type { Sqs } from './services/sqs.ts';
import type { Ssm } from './services/ssm.ts';
import type { StepFunctions } from './services/step-functions.ts';
import type { Usage } from './services/usage.ts';

export interface ControlDependencies {
  lambda: Lambda;
  stepFunctions: StepFunctions;
  events: EventBridge;
  scheduler: Scheduler;
  sns: Sns;
  sqs: Sqs;
  cloudWatch: CloudWatch;
  dynamoDb: DynamoDb;
  ssm: Ssm;
  instances: Instances;
  fis: Fis;
  usage: Usage;
  outages: Outages;
}

/** With a rule it is a composite alarm. */
const alarmSettings = z.object({ alarmRule: z.string().optional(), actionsEnabled: z.boolean().optional() });
const texts = z.array(z.string());
const outageList = z.array(z.strictObject({ service: z.string(), resource: z.string().exactOptional() }));
const scalingGroups = z.array(
  z.strictObject({
    ...{ name: z.string(), hosts: texts, healthChecks: texts, suspendedProcesses: texts },
    healthCheckGraceSeconds: z.int().min(0).exactOptional(),
  }),
);

/** The lab's own view of the stand-ins, for tests and the bench: plain HTTP on a unix socket, never for the product. */
export function createControl(
  dependencies: ControlDependencies,
): (incoming: IncomingMessage, response: ServerResponse) => void {
  const {
    lambda,
    stepFunctions,
    events,
    scheduler,
    sns,
    sqs,
    cloudWatch,
    dynamoDb,
    ssm,
    instances,
    fis,
    usage,
    outages,
  } = dependencies;
  const reads: Record<string, () => unknown> = {
    '/processes': () =>
      lambda.functions.flatMap(({ name, environments }) =>
        environments.map(({ pid, state, initMs }) => ({ function: name, pid, state, initMs })),
      ),
    '/usage': () => usage,
    '/executions': () => [...stepFunctions.executions.values()].map(({ abort: _abort, ...execution }) => execution),
    '/events': () => events.events,
    '/messages': () => sns.messages,
    '/queues': () => sqs.messages,
    '/alarms': () => Object.fromEntries(cloudWatch.alarms),
    '/instances': () => Object.fromEntries(instances.hosts.map((host) => [host.name, instances.stateOf(host)])),
    '/fis': () => ({
      templates: [...fis.templates.keys()],
      experiments: [...fis.experiments.values()].map(({ id, tags, state, reason }) => ({ id, tags, state, reason })),
    }),
    '/commands': () =>
      ssm.book.invocations.map(({ work, ...invocation }) => ({ ...invocation, environment: work.environment })),
  };
  const writes: Record<string, (input: JsonObject) => void> = {
    '/alarms': (input) => {
      const state = ALARM_STATES.find((known) => known === input.state);
      if (typeof input.name !== 'string' || state === undefined) {
        throw new Error(`name: a string; state: one of ${ALARM_STATES.join(', ')}`);
      }
      const { alarmRule, actionsEnabled } = alarmSettings.parse(input);
      cloudWatch.setState(input.name, state, undefined, {
        ...(alarmRule === undefined ? {} : { alarmRule }),
        ...(actionsEnabled === undefined ? {} : { actionsEnabled }),
      });
    },
    '/dynamodb/freeze': (input) => dynamoDb.freeze(flag(input, 'frozen')),
    '/sns': (input) => {
      if (input.refuses !== undefined) sns.refuses = flag(input, 'refuses');
      if (input.subscribed !== undefined) sns.isSubscribed = flag(input, 'subscribed');
    },
    '/fis/safety-lever': (input) => {
      fis.safetyLeverEngaged = flag(input, 'engaged');
    },
    '/outages': (input) => {
      outages.now = outageList.parse(input.outages);
      stepFunctions.freeze(outages.now.some(({ service }) => service === stepFunctions.signingName));
    },
    '/scaling-groups': (input) => {
      instances.scalingGroups = scalingGroups.parse(input.groups);
    },
    '/lambda/twice': (input) => {
      lambda.queue.deliverTwice = flag(input, 'twice');
    },
    '/scheduler/clock': (input) => {
      scheduler.moveTo(timeOf(input, 'now'));
    },
    '/scheduler/twice': (input) => {
      scheduler.deliverTwice = flag(input, 'twice');
    },
    '/change-calendar': (input) => {
      ssm.calendarIsOpen = flag(input, 'open');
      ssm.calendarChangesAtMs = input.changesAt === undefined ? undefined : timeOf(input, 'changesAt');
    },
    '/sns/twice': (input) => {
      sns.deliverTwice = flag(input, 'twice');
    },
    '/events/twice': (input) => {
      events.deliverTwice = flag(input, 'twice');
    },
  };
  return (incoming, response) => {
    void (async () => {
      const path = incoming.url ?? '';
      let [status, body]: [number, unknown] = [
        404,
        { message: `GET ${Object.keys(reads).join(' ')} POST ${Object.keys(writes).join(' ')}` },
      ];
      try {
        const [read, write] = [reads[path], writes[path]];
        if (incoming.method === 'GET' && read !== undefined) [status, body] = [200, read()];
        else if (incoming.method === 'POST' && write !== undefined) {
          write(await readObject(incoming));
          [status, body] = [200, {}];
        }
      } catch (error) {
        [status, body] = [400, { message: String(error) }];
      }
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify(body));
    })();
  };
}

async function readObject(incoming: IncomingMessage): Promise<JsonObject> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk);
  const parsed: Json = JSON.parse(Buffer.concat(chunks).toString() || '{}');
  if (isObject(parsed)) return parsed;
  throw new Error('a JSON object is expected');
}

function flag(input: JsonObject, field: string): boolean {
  const value = input[field];
  if (typeof value === 'boolean') return value;
  throw new Error(`${field}: true or false`);
}

function timeOf(input: JsonObject, field: string): number {
  const value = input[field];
  const epochMs = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(epochMs)) throw new Error(`${field}: a time as in ISO 8601`);
  return epochMs;
}
