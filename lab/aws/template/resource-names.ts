import { createHash } from 'node:crypto';

/**
 * What `Ref` and `Fn::GetAtt` answer for each resource type the lab knows. A type that is not here stops the lab: a
 * resource that nobody stands in for would otherwise be missing silently.
 */
export interface NamedResource {
  type: string;
  logicalId: string;
  /** Explicit name of the template, else `<Stack>-<LogicalId>`. */
  name: string;
}

export interface Place {
  accountId: string;
  region: string;
  stackName: string;
}

interface TypeRule {
  /** Property holding an explicit physical name. */
  nameProperty?: string;
  ref?: (resource: NamedResource, place: Place) => string;
  attributes?: Record<string, (resource: NamedResource, place: Place) => string>;
}

type ArnOf = (resource: NamedResource, place: Place) => string;
const arn =
  (service: string, path: string): ArnOf =>
  ({ name }, { region, accountId }) =>
    `arn:aws:${service}:${region}:${accountId}:${path}${name}`;
const iamArn =
  (path: string): ArnOf =>
  ({ name }, { accountId }) =>
    `arn:aws:iam::${accountId}:${path}/${name}`;
/** API Gateway, KMS and IAM hand out opaque ids; these are stable from run to run. */
const shortId: ArnOf = ({ logicalId }, { stackName }) =>
  createHash('sha256').update(`${stackName}/${logicalId}`).digest('hex').slice(0, 10);
const workspaceId: ArnOf = (resource, place) => `ws-${shortId(resource, place)}`;
const workspaceArn: ArnOf = (resource, place) =>
  `arn:aws:aps:${place.region}:${place.accountId}:workspace/${workspaceId(resource, place)}`;
const name: ArnOf = (resource) => resource.name;

const RULES: Record<string, TypeRule> = {
  'AWS::DynamoDB::Table': { nameProperty: 'TableName', attributes: { Arn: arn('dynamodb', 'table/') } },
  'AWS::DynamoDB::GlobalTable': { nameProperty: 'TableName', attributes: { Arn: arn('dynamodb', 'table/') } },
  'AWS::Lambda::Function': { nameProperty: 'FunctionName', attributes: { Arn: arn('lambda', 'function:') } },
  'AWS::Lambda::Permission': {},
  'AWS::Lambda::EventInvokeConfig': {},
  'AWS::IAM::Role': { nameProperty: 'RoleName', attributes: { Arn: iamArn('role'), RoleId: shortId } },
  'AWS::IAM::Policy': { nameProperty: 'PolicyName' },
  'AWS::IAM::ManagedPolicy': {
    nameProperty: 'ManagedPolicyName',
    ref: iamArn('policy'),
    attributes: { PolicyArn: iamArn('policy') },
  },
  'AWS::SSM::Document': { nameProperty: 'Name' },
  'AWS::StepFunctions::StateMachine': {
    nameProperty: 'StateMachineName',
    ref: arn('states', 'stateMachine:'),
    attributes: { Arn: arn('states', 'stateMachine:'), Name: name },
  },
  'AWS::SNS::Topic': {
    nameProperty: 'TopicName',
    ref: arn('sns', ''),
    attributes: { TopicArn: arn('sns', ''), TopicName: name },
  },
  'AWS::EC2::VPCEndpoint': {},
  'AWS::APS::Workspace': {
    ref: workspaceArn,
    attributes: {
      Arn: workspaceArn,
      WorkspaceId: workspaceId,
      PrometheusEndpoint: (resource, place) =>
        `https://aps-workspaces.${place.region}.amazonaws.com/workspaces/${workspaceId(resource, place)}/`,
    },
  },
  'AWS::APS::RuleGroupsNamespace': {},
  'AWS::SNS::TopicPolicy': {},
  'AWS::SNS::Subscription': {},
  'AWS::Events::Rule': { nameProperty: 'Name', attributes: { Arn: arn('events', 'rule/') } },
  'AWS::Events::EventBus': { nameProperty: 'Name', attributes: { Arn: arn('events', 'event-bus/'), Name: name } },
  'AWS::Scheduler::ScheduleGroup': { nameProperty: 'Name', attributes: { Arn: arn('scheduler', 'schedule-group/') } },
  'AWS::Scheduler::Schedule': { nameProperty: 'Name' },
  'AWS::SQS::Queue': {
    nameProperty: 'QueueName',
    ref: ({ name: queue }, { region, accountId }) => `https://sqs.${region}.amazonaws.com/${accountId}/${queue}`,
    attributes: { Arn: arn('sqs', ''), QueueName: name },
  },
  'AWS::SQS::QueuePolicy': {},
  'AWS::ApiGateway::RestApi': { ref: shortId, attributes: { RootResourceId: shortId, RestApiId: shortId } },
  'AWS::ApiGateway::Resource': { ref: shortId, attributes: { ResourceId: shortId } },
  'AWS::ApiGateway::Method': {},
  'AWS::ApiGateway::Deployment': { ref: shortId },
  'AWS::ApiGateway::Stage': { nameProperty: 'StageName' },
  'AWS::ApiGateway::Account': {},
  'AWS::ApiGateway::GatewayResponse': {},
  'AWS::ApiGateway::RequestValidator': { ref: shortId },
  'AWS::Logs::LogGroup': {
    nameProperty: 'LogGroupName',
    attributes: { Arn: (resource, place) => `${arn('logs', 'log-group:')(resource, place)}:*` },
  },
  'AWS::CloudWatch::Alarm': { nameProperty: 'AlarmName', attributes: { Arn: arn('cloudwatch', 'alarm:') } },
  'AWS::CloudWatch::Dashboard': { nameProperty: 'DashboardName' },
  'AWS::EC2::SecurityGroup': { attributes: { GroupId: (resource, place) => `sg-${shortId(resource, place)}` } },
  'AWS::KMS::Key': { ref: shortId, attributes: { Arn: arn('kms', 'key/') } },
  'AWS::KMS::Alias': { nameProperty: 'AliasName' },
  'AWS::CloudFormation::CustomResource': {},
  'AWS::CDK::Metadata': {},
};

function ruleOf(type: string, logicalId: string): TypeRule {
  const rule = RULES[type.startsWith('Custom::') ? 'AWS::CloudFormation::CustomResource' : type];
  if (rule === undefined) {
    throw new Error(
      `${logicalId}: the lab has no stand-in for resource type ${type}; known: ${Object.keys(RULES).join(', ')}`,
    );
  }
  return rule;
}

/** Name of the property with the explicit physical name, if the type has one. @throws Error for an unknown type. */
export function namePropertyOf(type: string, logicalId: string): string | undefined {
  return ruleOf(type, logicalId).nameProperty;
}

export function refOf(resource: NamedResource, place: Place): string {
  return (ruleOf(resource.type, resource.logicalId).ref ?? name)(resource, place);
}

/** @throws Error for an attribute that the lab does not know. */
export function attributeOf(resource: NamedResource, attribute: string, place: Place): string {
  const compute = ruleOf(resource.type, resource.logicalId).attributes?.[attribute];
  if (compute === undefined) {
    throw new Error(
      `Fn::GetAtt ${resource.logicalId}.${attribute}: the lab does not know this attribute of ${resource.type}`,
    );
  }
  return compute(resource, place);
}
