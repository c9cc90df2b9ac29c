// biome-ignore-all lint/suspicious/noTemplateCurlyInString: the placeholders are CloudFormation's, in Fn::Sub
import type { Json, JsonObject } from '../../../lab/aws/protocol/json.ts';

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
const securityGroup = (from: string): Json => ({
  Type: 'AWS::EC2::SecurityGroup',
  Properties: { SecurityGroupIngress: [{ IpProtocol: 'tcp', FromPort: 443, SourceSecurityGroupId: from }] },
});
const endpoint = (service: string, more: JsonObject): Json => ({
  Type: 'AWS::EC2::VPCEndpoint',
  Properties: {
    ServiceName: { 'Fn::Sub': `com.amazonaws.\${AWS::Region}.${service}` },
    VpcEndpointType: 'Interface',
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
      allow('dynamodb:UpdateItem', getAtt('AuditTable'), {
        Condition: { 'ForAllValues:StringEquals': { 'dynamodb:Attributes': ['experimentId', 'sequence', 'state'] } },
      }),
      allow('ssm:SendCommand', { 'Fn::Sub': 'arn:aws:ssm:*:*:document/Test-Sleep' }),
      allow('ssm:SendCommand', 'arn:aws:ec2:*:*:instance/*', {
        Condition: { StringEquals: { 'ssm:resourceTag/holdfast-target': 'true' } },
      }),
      allow('secretsmanager:GetSecretValue', '*'),
      allow('kms:Decrypt', 'arn:aws:kms:*:*:key/mine', {
        Condition: { StringEquals: { 'kms:ViaService': 'secretsmanager.eu-west-1.amazonaws.com' } },
      }),
      allow('ssm:GetCommandInvocation', '*'),
      allow('sns:Publish', { Ref: 'Told' }),
      allow('sns:GetTopicAttributes', { Ref: 'Told' }),
      allow('cloudwatch:DescribeAlarms', 'arn:aws:cloudwatch:*:*:alarm:*'),
    ]),
    FisRole: role('fis.amazonaws.com', [
      allow('ec2:StopInstances', 'arn:aws:ec2:*:*:instance/*', {
        Condition: { StringEquals: { 'aws:ResourceTag/holdfast-target': 'true' } },
      }),
      allow('ec2:StartInstances', 'arn:aws:ec2:*:*:instance/*'),
    ]),
    Watched: {
      Type: 'AWS::CloudWatch::Alarm',
      Properties: {
        AlarmName: 'watched',
        ComparisonOperator: 'LessThanThreshold',
        EvaluationPeriods: 2,
        Threshold: 1,
        TreatMissingData: 'breaching',
        Metrics: [
          { Id: 'expr', Expression: 'FILL(beats, 0)', Period: 10 },
          {
            Id: 'beats',
            MetricStat: {
              Metric: {
                Namespace: 'Holdfast',
                MetricName: 'GuardHeartbeat',
                Dimensions: [{ Name: 'cluster', Value: 'redis-master' }],
              },
              Period: 10,
              Stat: 'Sum',
            },
            ReturnData: false,
          },
        ],
      },
    },
    MachineRole: role('states.amazonaws.com', [allow('lambda:InvokeFunction', [getAtt('Echo'), getAtt('Fail')])]),
    Told: { Type: 'AWS::SNS::Topic', Properties: {} },
    Other: { Type: 'AWS::SNS::Topic', Properties: {} },
    Echo: lambdaFunction('echo'),
    Fail: lambdaFunction('fail'),
    Crash: lambdaFunction('crash'),
    Hang: lambdaFunction('hang', { Timeout: 1, ReservedConcurrentExecutions: 1 }),
    Pid: lambdaFunction('pid'),
    Environment: lambdaFunction('environment'),
    ForFunctions: securityGroup('sg-1'),
    ForHosts: securityGroup('sg-2'),
    DynamoDbEndpoint: endpoint('dynamodb', { VpcEndpointType: 'Gateway' }),
    EventsEndpoint: endpoint('events', { SecurityGroupIds: [getAtt('ForFunctions', 'GroupId')] }),
    SsmEndpoint: endpoint('ssm', { SecurityGroupIds: [getAtt('ForHosts', 'GroupId')] }),
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
