// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the placeholders are CloudFormation's, in Fn::Sub
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:https';
import { Agent, createServer } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Json, JsonObject } from '../../../lab/aws/intrinsics.ts';
import type { Credentials } from '../../../lab/aws/principals.ts';
import { createSystem, type System } from '../../../lab/aws/system.ts';
import { resolveTemplate } from '../../../lab/aws/template.ts';
import { ACCOUNT_ID, REDIS_HOSTS, REGION } from '../../../lab/world.ts';

export const PLACE = { accountId: ACCOUNT_ID, region: REGION, stackName: 'Test' };
export const AGENT_TOKEN = 'token-of-the-test';
const [host] = REDIS_HOSTS;
if (host === undefined) throw new Error('the world has no host');
export const HOST = host;

/** The functions of the fixture, one file, one export each: `index.mjs`. */
const CODE = `
export const echo = async (event) => event;
export const api = async (event) => ({ statusCode: 202, body: JSON.stringify({ who: event.requestContext.identity.userArn, id: event.pathParameters?.id, body: event.body }) });
export const fail = async () => { const error = new Error('p99 above 200 ms'); error.name = 'GuardrailBreached'; throw error; };
export const crash = async () => { process.kill(process.pid, 'SIGKILL'); await new Promise(() => {}); };
export const hang = async () => new Promise((resolve) => setTimeout(resolve, 60000));
export const pid = async () => process.pid;
export const environment = async () => process.env;
export const custom = async (event) => {
  await fetch(event.ResponseURL, { method: 'PUT', body: JSON.stringify({ Status: 'SUCCESS', PhysicalResourceId: 'x', Data: {} }) });
};
`;

const getAtt = (id: string, attribute = 'Arn'): Json => ({ 'Fn::GetAtt': [id, attribute] });
const trust = (service: string): Json => ({
  Statement: [{ Effect: 'Allow', Principal: { Service: service }, Action: 'sts:AssumeRole' }],
});
const role = (service: string, statements: Json[]): Json => ({
  Type: 'AWS::IAM::Role',
  Properties: {
    AssumeRolePolicyDocument: trust(service),
    Policies: [{ PolicyName: 'inline', PolicyDocument: { Version: '2012-10-17', Statement: statements } }],
  },
});
const allow = (action: string, resource: Json, more: JsonObject = {}): Json => ({
  Effect: 'Allow',
  Action: action,
  Resource: resource,
  ...more,
});
const lambdaFunction = (handler: string, more: JsonObject = {}): Json => ({
  Type: 'AWS::Lambda::Function',
  Properties: {
    Code: { S3Bucket: { 'Fn::Sub': 'assets-${AWS::AccountId}' }, S3Key: 'code.zip' },
    Handler: `index.${handler}`,
    Role: getAtt('Role'),
    Timeout: 10,
    Environment: { Variables: { TABLE: { Ref: 'AuditTable' } } },
    ...more,
  },
});

const MACHINE = {
  StartAt: 'Hold',
  States: {
    Hold: {
      Type: 'Parallel',
      Branches: [
        { StartAt: 'Guard', States: { Guard: { Type: 'Task', Resource: '@fail@', End: true } } },
        {
          StartAt: 'Long wait',
          States: {
            'Long wait': { Type: 'Wait', Seconds: 3600, Next: 'Never' },
            Never: { Type: 'Task', Resource: '@echo@', End: true },
          },
        },
      ],
      Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: '$.cause', Next: 'Roll back' }],
      End: true,
    },
    'Roll back': {
      Type: 'Task',
      Resource: 'arn:aws:states:::lambda:invoke',
      Parameters: { FunctionName: '@echo@', 'Payload.$': '$' },
      ResultSelector: { 'seen.$': '$.Payload' },
      End: true,
    },
  },
};
const joined = (text: string): Json => ({
  'Fn::Join': [
    '',
    text.split('@').map((part, index) => (index % 2 === 0 ? part : getAtt(part === 'fail' ? 'Fail' : 'Echo'))),
  ],
});

export const TEMPLATE: JsonObject = {
  Resources: {
    AuditTable: {
      Type: 'AWS::DynamoDB::Table',
      Properties: {
        KeySchema: [
          { AttributeName: 'experimentId', KeyType: 'HASH' },
          { AttributeName: 'sequence', KeyType: 'RANGE' },
        ],
        AttributeDefinitions: [
          { AttributeName: 'experimentId', AttributeType: 'S' },
          { AttributeName: 'sequence', AttributeType: 'N' },
        ],
      },
    },
    Role: role('lambda.amazonaws.com', [
      allow('dynamodb:PartiQLInsert', getAtt('AuditTable')),
      allow('dynamodb:GetItem', getAtt('AuditTable')),
      allow('ssm:SendCommand', { 'Fn::Sub': 'arn:aws:ssm:*:*:document/Test-Sleep' }),
      allow('ssm:SendCommand', 'arn:aws:ec2:*:*:instance/*', {
        Condition: { StringEquals: { 'ssm:resourceTag/holdfast-target': 'true' } },
      }),
      allow('ssm:GetCommandInvocation', '*'),
    ]),
    MachineRole: role('states.amazonaws.com', [allow('lambda:InvokeFunction', [getAtt('Echo'), getAtt('Fail')])]),
    Echo: lambdaFunction('echo'),
    Fail: lambdaFunction('fail'),
    Crash: lambdaFunction('crash'),
    Hang: lambdaFunction('hang', { Timeout: 1, ReservedConcurrentExecutions: 1 }),
    Pid: lambdaFunction('pid'),
    Environment: lambdaFunction('environment'),
    InVpc: lambdaFunction('environment', { VpcConfig: { SubnetIds: ['subnet-1'], SecurityGroupIds: ['sg-1'] } }),
    CustomHandler: lambdaFunction('custom'),
    Seed: { Type: 'Custom::Seed', Properties: { ServiceToken: getAtt('CustomHandler') } },
    Machine: {
      Type: 'AWS::StepFunctions::StateMachine',
      Properties: { RoleArn: getAtt('MachineRole'), DefinitionString: joined(JSON.stringify(MACHINE)) },
    },
    ApiHandler: lambdaFunction('api'),
    Api: { Type: 'AWS::ApiGateway::RestApi', Properties: {} },
    Experiments: {
      Type: 'AWS::ApiGateway::Resource',
      Properties: { ParentId: getAtt('Api', 'RootResourceId'), PathPart: 'experiments' },
    },
    Experiment: {
      Type: 'AWS::ApiGateway::Resource',
      Properties: { ParentId: { Ref: 'Experiments' }, PathPart: '{id}' },
    },
    Post: {
      Type: 'AWS::ApiGateway::Method',
      Properties: {
        HttpMethod: 'POST',
        ResourceId: { Ref: 'Experiment' },
        AuthorizationType: 'AWS_IAM',
        Integration: {
          Type: 'AWS_PROXY',
          Uri: {
            'Fn::Sub': [
              'arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${target}/invocations',
              { target: getAtt('ApiHandler') },
            ],
          },
        },
      },
    },
    Stage: { Type: 'AWS::ApiGateway::Stage', Properties: { StageName: 'api' } },
    ApiPermission: {
      Type: 'AWS::Lambda::Permission',
      Properties: {
        Action: 'lambda:InvokeFunction',
        FunctionName: getAtt('ApiHandler'),
        Principal: 'apigateway.amazonaws.com',
        SourceArn: { 'Fn::Sub': 'arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/*/POST/experiments/*' },
      },
    },
    Sleep: {
      Type: 'AWS::SSM::Document',
      Properties: {
        Name: 'Test-Sleep',
        Content: {
          schemaVersion: '2.2',
          parameters: {
            directory: { type: 'String', interpolationType: 'ENV_VAR', allowedPattern: '^/[a-zA-Z0-9/._-]+$' },
          },
          mainSteps: [
            {
              action: 'aws:runShellScript',
              name: 'run',
              inputs: {
                timeoutSeconds: '60',
                runCommand: [
                  '#!/bin/bash',
                  'nohup sleep 1000 >/dev/null & echo $! > "$SSM_directory/child.$$"',
                  'echo started; touch "$SSM_directory/started.$$"',
                  'wait',
                ],
              },
            },
          ],
        },
      },
    },
  },
};

export interface Lab {
  system: System;
  endpoint: string;
  directory: string;
  caFile: string;
  client(credentials: Credentials): object;
  stop(): void;
}

/** The whole stand-in behind TLS on a random loopback port. */
export async function startLab(nowMs: () => number = Date.now): Promise<Lab> {
  const directory = mkdtempSync(join(tmpdir(), 'lab-aws-'));
  const [code, key, caFile] = [join(directory, 'code'), join(directory, 'server.key'), join(directory, 'server.pem')];
  mkdirSync(code);
  writeFileSync(join(code, 'index.mjs'), CODE);
  writeFileSync(join(directory, 'secret.json'), '{"username":"holdfast","password":"x"}');
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'];
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-days',
      '2',
      '-keyout',
      key,
      '-out',
      caFile,
      ...subject,
    ],
    { stdio: 'ignore' },
  );
  // Commands that leave a trace in the place of those that enter a network namespace.
  const enter = (place: string): string[] => ['env', `VPC_OF_THE_TEST=${place}`];
  const networks = { enterVpc: enter('inside'), enterWithoutVpc: enter('outside') };
  const seam = { endpoint: '', caFile, logDirectory: join(directory, 'log'), ...networks };
  let handle: System['front'] | undefined;
  const server: Server = createServer({ key: readFileSync(key), cert: readFileSync(caFile) }, (request, response) =>
    handle?.(request, response),
  );
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  const endpoint = `https://localhost:${typeof address === 'object' && address !== null ? address.port : 0}`;
  const system = createSystem({
    template: resolveTemplate(TEMPLATE, PLACE, new Map([['code.zip', code]])),
    seam: { ...seam, endpoint },
    hosts: REDIS_HOSTS,
    agentTokens: new Map([[HOST.instanceId, AGENT_TOKEN]]),
    secretFile: join(directory, 'secret.json'),
    nowMs,
  });
  handle = system.front;
  await system.createTables();
  await system.deploy();
  const httpsAgent = new Agent({ ca: readFileSync(caFile), keepAlive: true });
  return {
    system,
    endpoint,
    directory,
    caFile,
    client: (credentials) => ({
      endpoint,
      region: REGION,
      credentials,
      maxAttempts: 1,
      requestHandler: { httpsAgent },
    }),
    stop() {
      system.stop();
      httpsAgent.destroy();
      server.closeAllConnections();
      server.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Waits for a condition; fails with its last error or value after `seconds`. */
export async function eventually<T>(seconds: number, check: () => Promise<T | undefined> | T | undefined): Promise<T> {
  const deadlineMs = Date.now() + seconds * 1000;
  for (;;) {
    const value = await check();
    if (value !== undefined) return value;
    if (Date.now() > deadlineMs) throw new Error(`not within ${seconds} s`);
    await new Promise((done) => setTimeout(done, 50));
  }
}

/** Credentials of a session of the fixture's function role. */
export function functionCredentials(lab: Lab): Credentials {
  return lab.system.credentials.mintSession(lab.system.lambda.find('Test-Echo').principal);
}
