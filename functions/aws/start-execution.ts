import { ExecutionAlreadyExists, type SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import type { ExperimentRun } from '../domain/workflow.ts';

/**
 * Starts the state machine under a name of ours; a name that exists already is the same start, repeated.
 * @throws the service's error; then an execution may exist all the same.
 */
export async function startExecution(
  client: SFNClient,
  stateMachineArn: string,
  name: string,
  run: ExperimentRun,
): Promise<void> {
  try {
    await client.send(new StartExecutionCommand({ stateMachineArn, name, input: JSON.stringify(run) }));
  } catch (error) {
    if (!(error instanceof ExecutionAlreadyExists)) throw error;
  }
}
