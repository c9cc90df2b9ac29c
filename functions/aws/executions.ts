import {
  DescribeExecutionCommand,
  ExecutionAlreadyExists,
  ExecutionDoesNotExist,
  type SFNClient,
  StartExecutionCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import type { ExperimentRun } from '../domain/workflow.ts';

/** The state machine's executions, which are named after experiments. */
export class Executions {
  readonly #client: SFNClient;
  readonly #stateMachineArn: string;

  constructor(client: SFNClient, stateMachineArn: string) {
    this.#client = client;
    this.#stateMachineArn = stateMachineArn;
  }

  /**
   * Starts the state machine under a name of ours; a name that exists already is the same start, repeated.
   * @throws the service's error; then an execution may exist all the same.
   */
  async start(name: string, run: ExperimentRun): Promise<void> {
    try {
      const stateMachineArn = this.#stateMachineArn;
      await this.#client.send(new StartExecutionCommand({ stateMachineArn, name, input: JSON.stringify(run) }));
    } catch (error) {
      if (!(error instanceof ExecutionAlreadyExists)) throw error;
    }
  }

  /**
   * True when the execution of that name is known and does not run any more. An unknown one counts as not ended: the
   * service may not know yet what was just started.
   * @throws the service's error
   */
  async ended(name: string): Promise<boolean> {
    try {
      const { status } = await this.#client.send(new DescribeExecutionCommand({ executionArn: this.#arnOf(name) }));
      return status !== undefined && status !== 'RUNNING';
    } catch (error) {
      if (error instanceof ExecutionDoesNotExist) return false;
      throw error;
    }
  }

  /**
   * Stops it: nothing of it runs any more, not even its catchers. One that has ended already stays as it is.
   * @throws the service's error
   */
  async stop(name: string, cause: string): Promise<void> {
    await this.#client.send(new StopExecutionCommand({ executionArn: this.#arnOf(name), cause }));
  }

  #arnOf(name: string): string {
    return `${this.#stateMachineArn.replace(':stateMachine:', ':execution:')}:${name}`;
  }
}
