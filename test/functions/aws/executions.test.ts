import {
  DescribeExecutionCommand,
  ExecutionAlreadyExists,
  ExecutionDoesNotExist,
  SFNClient,
  StartExecutionCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import { mockClient } from 'aws-sdk-client-mock';
import { describe, expect, it } from 'vitest';
import { Executions } from '../../../functions/aws/executions.ts';
import { seedExperiment } from '../domain/experiment-fixtures.ts';
import { CALLER } from '../domain/fixtures.ts';

const MACHINE = 'arn:aws:states:eu-west-1:111122223333:stateMachine:Experiment';
const experiment = seedExperiment();
const { experimentId } = experiment;

function executions() {
  const client = new SFNClient({ region: 'eu-west-1' });
  const mock = mockClient(client);
  const run = { experimentId, experiment, caller: CALLER, rollbackOnly: false };
  const of = new Executions(client, MACHINE);
  const stop = () => of.stop(experimentId, 'it hangs');
  return { mock, start: () => of.start(experimentId, run), ended: () => of.ended(experimentId), stop, run };
}

describe('an execution that is started', () => {
  it('has the name it was given and the whole run for its input', async () => {
    const { mock, start, run } = executions();
    mock.on(StartExecutionCommand).resolves({});
    await start();
    const [{ args } = { args: undefined }] = mock.commandCalls(StartExecutionCommand);
    expect(args?.[0].input).toEqual({ stateMachineArn: MACHINE, name: experimentId, input: JSON.stringify(run) });
  });

  it('is the same start when its name exists already, and an error when it may or may not have been started', async () => {
    const { mock, start } = executions();
    mock.on(StartExecutionCommand).rejectsOnce(new ExecutionAlreadyExists({ message: 'exists', $metadata: {} }));
    await start();
    mock.on(StartExecutionCommand).rejects(new Error('no answer'));
    await expect(start()).rejects.toThrow('no answer');
  });
});

describe('the execution of an experiment', () => {
  it('has ended when the service says anything but RUNNING', async () => {
    const { mock, ended } = executions();
    mock.on(DescribeExecutionCommand).resolvesOnce({ status: 'ABORTED' }).resolves({ status: 'RUNNING' });
    expect(await ended()).toBe(true);
    expect(mock.commandCalls(DescribeExecutionCommand)[0]?.args[0].input).toEqual({
      executionArn: `arn:aws:states:eu-west-1:111122223333:execution:Experiment:${experimentId}`,
    });
    expect(await ended()).toBe(false);
  });

  it('is stopped by its own name, and an error is told', async () => {
    const { mock, stop } = executions();
    mock.on(StopExecutionCommand).resolvesOnce({}).rejects(new Error('throttled'));
    await stop();
    const executionArn = `arn:aws:states:eu-west-1:111122223333:execution:Experiment:${experimentId}`;
    expect(mock.commandCalls(StopExecutionCommand)[0]?.args[0].input).toEqual({ executionArn, cause: 'it hangs' });
    await expect(stop()).rejects.toThrow('throttled');
  });

  it('has not ended when the service does not know it yet', async () => {
    const { mock, ended } = executions();
    mock.on(DescribeExecutionCommand).rejectsOnce(new ExecutionDoesNotExist({ message: 'unknown', $metadata: {} }));
    expect(await ended()).toBe(false);
    mock.on(DescribeExecutionCommand).rejects(new Error('throttled'));
    await expect(ended()).rejects.toThrow('throttled');
  });
});
