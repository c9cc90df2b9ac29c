import {
  GetCommandInvocationCommand,
  InvocationDoesNotExist,
  SendCommandCommand,
  type SSMClient,
} from '@aws-sdk/client-ssm';
import type { Clock } from '../domain/clock.ts';
import { type HostReport, parseHostReport } from '../domain/host-report.ts';
import { RUN_COMMAND_DELIVERY_SECONDS } from '../domain/timing.ts';

const POLL_INTERVAL_MS = 200;
/** Everything else is an end: Success, Failed, TimedOut, Cancelled and whatever SSM adds. */
const UNFINISHED: readonly string[] = ['Pending', 'InProgress', 'Delayed', 'Cancelling'];

export interface HostCommand {
  /** Full name of the document. */
  document: string;
  instanceId: string;
  parameters: Readonly<Record<string, string>>;
}

/** How a Run Command ended on its host. Without a `report` nobody knows what the host did. */
export interface CommandResult {
  /** SSM's status detail (`Success`, `Failed`, `Undeliverable`, …), `DEADLINE` or `NOT_SENT`. */
  status: string;
  report?: HostReport;
  detail?: string;
}

/** The narrow port to the hosts. */
export interface HostCommands {
  /** Sends to exactly one instance and waits for the end. Never rejects: a failure is a result. */
  run(command: HostCommand, timeoutMs: number): Promise<CommandResult>;
}

/**
 * Run Command, one instance a command: by tag it would ramp up slowly and report success where nothing matched.
 * @param clock measures the deadline
 */
export function ssmHostCommands(ssm: SSMClient, clock: Clock): HostCommands {
  return {
    async run(command, timeoutMs) {
      const deadlineMs = clock.monotonicMs() + timeoutMs;
      let commandId: string;
      try {
        commandId = await send(ssm, command);
      } catch (error) {
        return { status: 'NOT_SENT', detail: String(error) };
      }
      let trouble = 'no answer yet';
      while (clock.monotonicMs() < deadlineMs) {
        await clock.sleep(POLL_INTERVAL_MS);
        try {
          const result = await poll(ssm, commandId, command.instanceId);
          if (result) return result;
        } catch (error) {
          // The command goes on without our eyes; look again until the deadline.
          trouble = String(error);
        }
      }
      return { status: 'DEADLINE', detail: `command ${commandId}: not ended within ${timeoutMs} ms (${trouble})` };
    },
  };
}

async function send(ssm: SSMClient, { document, instanceId, parameters }: HostCommand): Promise<string> {
  const { Command } = await ssm.send(
    new SendCommandCommand({
      DocumentName: document,
      InstanceIds: [instanceId],
      Parameters: Object.fromEntries(Object.entries(parameters).map(([name, value]) => [name, [value]])),
      TimeoutSeconds: RUN_COMMAND_DELIVERY_SECONDS,
    }),
  );
  if (!Command?.CommandId) throw new Error('SSM gave no command id');
  return Command.CommandId;
}

/** @returns undefined while the command runs, or is not known yet: right after sending that is normal. */
async function poll(ssm: SSMClient, commandId: string, instanceId: string): Promise<CommandResult | undefined> {
  try {
    const invocation = await ssm.send(
      new GetCommandInvocationCommand({ CommandId: commandId, InstanceId: instanceId }),
    );
    if (UNFINISHED.includes(invocation.Status ?? 'Pending')) return undefined;
    const report = parseHostReport(invocation.StandardOutputContent ?? '');
    const stderr = (invocation.StandardErrorContent ?? '').trim().slice(-500);
    return {
      status: invocation.StatusDetails || (invocation.Status ?? 'unknown'),
      ...(report ? { report } : {}),
      ...(stderr === '' ? {} : { detail: stderr }),
    };
  } catch (error) {
    if (error instanceof InvocationDoesNotExist) return undefined;
    throw error;
  }
}
