import { randomUUID } from 'node:crypto';
import type { LabHost } from '../../fleet/engine.ts';
import { AwsError } from '../protocol/aws-error.ts';
import { isObject, type JsonObject } from '../protocol/json.ts';
import {
  type JsonService,
  type Operation,
  objectList,
  optionalString,
  refuseUnknownFields,
  requiredString,
  stringList,
} from '../protocol/service.ts';
import type { Template } from '../template/template.ts';
import type { AgentChannel } from './ssm-agents.ts';
import { CommandBook, type Invocation } from './ssm-commands.ts';
import { SsmDocument } from './ssm-document.ts';

/** What was sent a moment ago is not known yet to whoever asks. */
const KNOWN_AFTER_MS = 250;
const DEFAULT_DELIVERY_SECONDS = 3600;
/** The first of what a command wrote, of which AWS keeps no more. */
const STDOUT_CHARACTERS = 24_000;
const STDERR_CHARACTERS = 8_000;

/** The account's own; the stack makes none. */
const CHANGE_CALENDARS = ['production-changes'];

/** Systems Manager Run Command: the template's documents on the lab's hosts. */
export class Ssm implements JsonService {
  readonly signingName = 'ssm';
  readonly operations: Record<string, Operation>;
  readonly documents: ReadonlyMap<string, SsmDocument>;
  readonly book = new CommandBook();
  /** Of every change calendar there is. */
  calendarIsOpen = true;
  /** When that is no longer so, milliseconds since the epoch; undefined: there is no event to come. */
  calendarChangesAtMs: number | undefined;
  readonly #hosts: readonly LabHost[];
  readonly #agents: Pick<AgentChannel, 'registered'>;

  constructor(template: Template, hosts: readonly LabHost[], agents: Pick<AgentChannel, 'registered'>) {
    this.#hosts = hosts;
    this.#agents = agents;
    const { region, accountId } = template.place;
    this.documents = new Map(
      template.ofType('AWS::SSM::Document').map((resource) => [resource.name, new SsmDocument(resource)]),
    );
    const everywhere = (action: string) => () => [{ action: `ssm:${action}`, resource: '*' }];
    this.operations = {
      SendCommand: {
        demands: (input) => [
          {
            action: 'ssm:SendCommand',
            resource: `arn:aws:ssm:${region}:${accountId}:document/${requiredString(input, 'DocumentName')}`,
          },
          ...stringList(input, 'InstanceIds').map((instanceId) => ({
            action: 'ssm:SendCommand',
            resource: `arn:aws:ec2:${region}:${accountId}:instance/${instanceId}`,
            context: this.#tagsOf(instanceId),
          })),
        ],
        run: (input) => this.#send(input),
      },
      GetCommandInvocation: { demands: everywhere('GetCommandInvocation'), run: (input) => this.#get(input) },
      ListCommandInvocations: { demands: everywhere('ListCommandInvocations'), run: (input) => this.#list(input) },
      CancelCommand: { demands: everywhere('CancelCommand'), run: (input) => this.#cancel(input) },
      GetCalendarState: {
        demands: (input) =>
          stringList(input, 'CalendarNames').map((name) => ({
            action: 'ssm:GetCalendarState',
            resource: `arn:aws:ssm:${region}:${accountId}:document/${name}`,
          })),
        run: (input) => this.#calendar(input),
      },
      DescribeInstanceInformation: {
        demands: everywhere('DescribeInstanceInformation'),
        run: (input) => this.#describe(input),
      },
    };
  }

  #tagsOf(instanceId: string): Record<string, string> {
    const tags = this.#hosts.find((host) => host.instanceId === instanceId)?.tags ?? {};
    return Object.fromEntries(
      Object.entries(tags).flatMap(([key, value]) => [
        [`ssm:resourceTag/${key}`, value],
        [`aws:ResourceTag/${key}`, value],
      ]),
    );
  }

  #send(input: JsonObject): object {
    refuseUnknownFields(input, [
      'DocumentName',
      'DocumentVersion',
      'InstanceIds',
      'Parameters',
      'TimeoutSeconds',
      'Comment',
    ]);
    const document = this.documents.get(requiredString(input, 'DocumentName'));
    if (document === undefined)
      throw new AwsError('InvalidDocument', `Document with name ${input.DocumentName} does not exist.`);
    const instanceIds = stringList(input, 'InstanceIds');
    if (instanceIds.length === 0) throw new AwsError('ValidationException', 'InstanceIds: at least one');
    const invalid = instanceIds.filter((id) => this.#agents.registered(id) === undefined);
    if (invalid.length > 0) {
      throw new AwsError('InvalidInstanceId', `Instances [[${invalid.join(', ')}]] not in a valid state for account`);
    }
    const deliverySeconds = Number(input.TimeoutSeconds ?? DEFAULT_DELIVERY_SECONDS);
    const parameters = isObject(input.Parameters) ? input.Parameters : {};
    const work = document.bind(parameters);
    const [commandId, requestedMs] = [randomUUID(), Date.now()];
    for (const instanceId of instanceIds) {
      const comment = optionalString(input, 'Comment') ?? '';
      const unknownYet = {
        status: 'Pending',
        statusDetails: 'Pending',
        responseCode: -1,
        stdout: '',
        stderr: '',
      } as const;
      this.book.add(
        { ...unknownYet, commandId, instanceId, documentName: document.name, comment, requestedMs, work },
        deliverySeconds,
      );
    }
    return {
      Command: {
        CommandId: commandId,
        DocumentName: document.name,
        InstanceIds: instanceIds,
        Parameters: parameters,
        Status: 'Pending',
        StatusDetails: 'Pending',
        RequestedDateTime: requestedMs / 1000,
        TimeoutSeconds: deliverySeconds,
        TargetCount: instanceIds.length,
      },
    };
  }

  #get(input: JsonObject): object {
    refuseUnknownFields(input, ['CommandId', 'InstanceId', 'PluginName']);
    const invocation = this.book.find(requiredString(input, 'CommandId'), requiredString(input, 'InstanceId'));
    if (invocation === undefined || Date.now() < invocation.requestedMs + KNOWN_AFTER_MS)
      throw new AwsError('InvocationDoesNotExist', 'Command and instance do not name an invocation.');
    const { startedMs, endedMs } = invocation;
    return {
      ...summary(invocation),
      PluginName: 'aws:runShellScript',
      ResponseCode: invocation.responseCode,
      ExecutionStartDateTime: startedMs === undefined ? '' : new Date(startedMs).toISOString(),
      ExecutionEndDateTime: endedMs === undefined ? '' : new Date(endedMs).toISOString(),
      StandardOutputContent: invocation.stdout.slice(0, STDOUT_CHARACTERS),
      StandardErrorContent: invocation.stderr.slice(0, STDERR_CHARACTERS),
    };
  }

  #list(input: JsonObject): object {
    refuseUnknownFields(input, ['CommandId', 'InstanceId', 'Details', 'MaxResults']);
    const [commandId, instanceId] = [optionalString(input, 'CommandId'), optionalString(input, 'InstanceId')];
    const matching = this.book.invocations.filter(
      (entry) =>
        (commandId ?? entry.commandId) === entry.commandId && (instanceId ?? entry.instanceId) === entry.instanceId,
    );
    const withOutput = (entry: Invocation): object => ({
      CommandPlugins: [
        {
          Name: 'aws:runShellScript',
          Status: entry.status,
          StatusDetails: entry.statusDetails,
          ResponseCode: entry.responseCode,
          Output: entry.stdout.slice(0, 2500),
        },
      ],
    });
    return {
      CommandInvocations: matching.map((entry) => ({
        ...summary(entry),
        RequestedDateTime: entry.requestedMs / 1000,
        ...(input.Details === true ? withOutput(entry) : {}),
      })),
    };
  }

  #cancel(input: JsonObject): object {
    refuseUnknownFields(input, ['CommandId', 'InstanceIds']);
    const [commandId, only] = [requiredString(input, 'CommandId'), stringList(input, 'InstanceIds')];
    const matching = this.book.invocations.filter((entry) => entry.commandId === commandId);
    if (matching.length === 0) throw new AwsError('InvalidCommandId', `no command ${commandId}`);
    for (const entry of matching) if (only.length === 0 || only.includes(entry.instanceId)) this.book.cancel(entry);
    return {};
  }

  #calendar(input: JsonObject): object {
    refuseUnknownFields(input, ['CalendarNames']);
    const unknown = stringList(input, 'CalendarNames').filter((name) => !CHANGE_CALENDARS.includes(name));
    if (unknown.length > 0)
      throw new AwsError('InvalidDocument', `The following documents don't exist: ${unknown.join(', ')}`);
    const nextMs = this.calendarChangesAtMs;
    return {
      State: this.calendarIsOpen ? 'OPEN' : 'CLOSED',
      AtTime: wholeSeconds(Date.now()),
      ...(nextMs === undefined ? {} : { NextTransitionTime: wholeSeconds(nextMs) }),
    };
  }

  #describe(input: JsonObject): object {
    refuseUnknownFields(input, ['Filters', 'MaxResults']);
    const filters = objectList(input.Filters).map((filter) => {
      if (filter.Key !== 'InstanceIds')
        throw new AwsError('InvalidFilterKey', 'Filters: the lab knows the key InstanceIds');
      return stringList(filter, 'Values');
    });
    const registered = this.#hosts.flatMap((host) => {
      const agent = this.#agents.registered(host.instanceId);
      const wanted = filters.every((ids) => ids.includes(host.instanceId));
      return agent === undefined || !wanted ? [] : [{ host, agent }];
    });
    return {
      InstanceInformationList: registered.map(({ host, agent }) => ({
        InstanceId: host.instanceId,
        ComputerName: host.name,
        PingStatus: agent.online ? 'Online' : 'ConnectionLost',
        LastPingDateTime: agent.lastSeenMs / 1000,
        AgentVersion: agent.version,
        PlatformType: 'Linux',
        PlatformName: 'Debian GNU/Linux',
        PlatformVersion: '12',
        ResourceType: 'EC2Instance',
        IPAddress: host.managementAddress ?? host.dataAddress,
      })),
    };
  }
}

function summary(entry: Invocation): object {
  return {
    CommandId: entry.commandId,
    InstanceId: entry.instanceId,
    DocumentName: entry.documentName,
    Comment: entry.comment,
    Status: entry.status,
    StatusDetails: entry.statusDetails,
  };
}

function wholeSeconds(epochMs: number): string {
  return new Date(epochMs).toISOString().replace(/\.\d+Z$/, 'Z');
}
