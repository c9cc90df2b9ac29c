import { DescribeExecutionCommand, ExecutionDoesNotExist, type SFNClient } from '@aws-sdk/client-sfn';

/**
 * True when the execution of that name is known and does not run any more. An unknown one counts as not ended: the
 * service may not know yet what was just started.
 * @throws the service's error
 */
export async function executionEnded(client: SFNClient, stateMachineArn: string, name: string): Promise<boolean> {
  const executionArn = `${stateMachineArn.replace(':stateMachine:', ':execution:')}:${name}`;
  try {
    const { status } = await client.send(new DescribeExecutionCommand({ executionArn }));
    return status !== undefined && status !== 'RUNNING';
  } catch (error) {
    if (error instanceof ExecutionDoesNotExist) return false;
    throw error;
  }
}
