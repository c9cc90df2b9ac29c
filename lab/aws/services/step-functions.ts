import { randomUUID } from 'node:crypto';
import { StateMachine } from 'aws-local-stepfunctions';
import { rolePrincipal } from '../iam/roles.ts';
import { AwsError } from '../protocol/aws-error.ts';
import { isObject, type Json, type JsonObject } from '../protocol/json.ts';
import {
  type JsonService,
  type Operation,
  optionalString,
  refuseUnknownFields,
  requiredString,
} from '../protocol/service.ts';
import type { Template } from '../template/template.ts';
import type { EventBridge } from './eventbridge.ts';
import type { Lambda } from './lambda.ts';
import { type Machine, readDefinition } from './step-functions-definition.ts';
import { invokeTask } from './step-functions-task.ts';
import type { Usage } from './usage.ts';

interface Execution {
  executionArn: string;
  stateMachineArn: string;
  name: string;
  input: string;
  status: 'RUNNING' | 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'ABORTED';
  startMs: number;
  stopMs?: number;
  output?: string;
  error?: string;
  cause?: string;
  abort: () => void;
  /** States entered, in order: what ran, for tests and reports. */
  entered: string[];
}

/** Step Functions Standard: the template's definitions on a local interpreter (JSONPath only). */
export class StepFunctions implements JsonService {
  readonly signingName = 'states';
  readonly operations: Record<string, Operation>;
  readonly executions = new Map<string, Execution>();
  readonly #machines: Map<string, Machine>;
  readonly #lambda: Lambda;
  readonly #template: Template;
  readonly #usage: Usage;
  readonly #events: Pick<EventBridge, 'emit'>;
  #stopped = false;
  #frozen: { thawed: Promise<void>; thaw: () => void } = { thawed: Promise.resolve(), thaw: () => {} };

  constructor(template: Template, lambda: Lambda, events: Pick<EventBridge, 'emit'>, usage: Usage) {
    this.#events = events;
    this.#lambda = lambda;
    this.#template = template;
    this.#usage = usage;
    this.#machines = new Map(
      template.ofType('AWS::StepFunctions::StateMachine').map((resource) => [resource.ref, readDefinition(resource)]),
    );
    const onExecution = (action: string) => (input: JsonObject) => [
      { action, resource: requiredString(input, 'executionArn') },
    ];
    this.operations = {
      StartExecution: {
        demands: (input) => [{ action: 'states:StartExecution', resource: requiredString(input, 'stateMachineArn') }],
        run: (input) => this.#start(input),
      },
      DescribeExecution: {
        demands: onExecution('states:DescribeExecution'),
        run: (input) => describe(this.#find(input)),
      },
      StopExecution: { demands: onExecution('states:StopExecution'), run: (input) => this.#stop(input) },
      ListExecutions: {
        demands: (input) => [{ action: 'states:ListExecutions', resource: requiredString(input, 'stateMachineArn') }],
        run: (input) => this.#list(input),
      },
    };
  }

  /** While frozen no state is entered that would run a task, and no task is seen to end; what runs in functions goes on. */
  freeze(frozen: boolean): void {
    this.#frozen.thaw();
    if (!frozen) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#frozen = { thawed: promise, thaw: resolve };
  }

  stop(): void {
    this.freeze(false);
    this.#stopped = true;
    for (const execution of this.executions.values()) execution.abort();
  }

  get stateMachineArns(): string[] {
    return [...this.#machines.keys()];
  }

  #start(input: JsonObject): object {
    refuseUnknownFields(input, ['stateMachineArn', 'name', 'input', 'traceHeader']);
    const stateMachineArn = requiredString(input, 'stateMachineArn');
    const machine = this.#machines.get(stateMachineArn);
    if (machine === undefined)
      throw new AwsError('StateMachineDoesNotExist', `State Machine Does Not Exist: '${stateMachineArn}'`);
    const name = optionalString(input, 'name') ?? randomUUID();
    const text = optionalString(input, 'input') ?? '{}';
    const executionArn = `${stateMachineArn.replace(':stateMachine:', ':execution:')}:${name}`;
    const known = this.executions.get(executionArn);
    if (known !== undefined) {
      // Idempotent for the same name and input while it runs, refused otherwise, as the service does.
      if (known.status === 'RUNNING' && known.input === text) return { executionArn, startDate: known.startMs / 1000 };
      throw new AwsError('ExecutionAlreadyExists', `Execution Already Exists: '${executionArn}'`);
    }
    const execution: Execution = {
      executionArn,
      stateMachineArn,
      name,
      input: text,
      status: 'RUNNING',
      startMs: Date.now(),
      abort: () => {},
      entered: [],
    };
    this.executions.set(executionArn, execution);
    this.#run(execution, machine, parseInput(text));
    return { executionArn, startDate: execution.startMs / 1000 };
  }

  #run(execution: Execution, { resource, definition, tasks }: Machine, input: Json): void {
    const role = rolePrincipal(
      this.#template,
      String(resource.properties.RoleArn),
      { service: 'states.amazonaws.com', sourceArn: resource.arn },
      execution.name,
    );
    const handlers = Object.fromEntries(
      [...tasks].map(([state, task]) => [
        state,
        async (payload: Json) => {
          await this.#frozen.thawed;
          try {
            return await invokeTask(this.#lambda, role, task, payload);
          } finally {
            await this.#frozen.thawed;
          }
        },
      ]),
    );
    const run = new StateMachine(definition, { validationOptions: { checkArn: false } }).run(input, {
      overrides: { taskResourceLocalHandlers: handlers },
      context: {
        Execution: { Id: execution.executionArn, Name: execution.name, RoleArn: resource.properties.RoleArn },
        StateMachine: { Id: resource.ref, Name: resource.name },
      },
    });
    execution.abort = run.abort;
    void this.#follow(execution, run.eventLogs);
    run.result.then(
      (output) => this.#end(execution, 'SUCCEEDED', { output: JSON.stringify(output) }),
      (error: unknown) => {
        const failure = error instanceof Error ? error : new Error(String(error));
        if (failure.name === 'ExecutionAbortedError') return this.#end(execution, 'ABORTED', {});
        if (failure.name === 'ExecutionTimeoutError')
          return this.#end(execution, 'TIMED_OUT', { error: 'States.Timeout' });
        const reason = failure.cause instanceof Error ? failure.cause : failure;
        this.#end(execution, 'FAILED', { error: reason.name, cause: reason.message });
      },
    );
  }

  async #follow(execution: Execution, events: AsyncIterable<{ type: string }>): Promise<void> {
    for await (const event of events) {
      if (event.type !== 'StateEntered') continue;
      this.#usage.stateTransitions += 1;
      if ('state' in event && isObject(event.state)) execution.entered.push(String(event.state.name));
    }
  }

  #end(
    execution: Execution,
    status: Execution['status'],
    result: { output?: string; error?: string; cause?: string },
  ): void {
    if (execution.status !== 'RUNNING') return;
    Object.assign(execution, { status, stopMs: Date.now(), ...result });
    // The end of the lab itself is not reported.
    if (!this.#stopped) this.#tell(execution);
  }

  /** The service's own event; times are in milliseconds there. */
  #tell({ executionArn, stateMachineArn, name, status, input, output, error, cause, ...times }: Execution): void {
    this.#events.emit({
      source: 'aws.states',
      'detail-type': 'Step Functions Execution Status Change',
      resources: [executionArn],
      detail: {
        executionArn,
        stateMachineArn,
        name,
        status,
        startDate: times.startMs,
        stopDate: times.stopMs ?? null,
        input,
        inputDetails: { included: true },
        output: output ?? null,
        outputDetails: output === undefined ? null : { included: true },
        error: error ?? null,
        cause: cause ?? null,
      },
    });
  }

  #stop(input: JsonObject): object {
    const execution = this.#find(input);
    if (execution.status === 'RUNNING') {
      const [error, cause] = [optionalString(input, 'error'), optionalString(input, 'cause')];
      this.#end(execution, 'ABORTED', {
        ...(error === undefined ? {} : { error }),
        ...(cause === undefined ? {} : { cause }),
      });
      execution.abort();
    }
    return { stopDate: (execution.stopMs ?? Date.now()) / 1000 };
  }

  #find(input: JsonObject): Execution {
    const executionArn = requiredString(input, 'executionArn');
    const execution = this.executions.get(executionArn);
    if (execution === undefined)
      throw new AwsError('ExecutionDoesNotExist', `Execution Does Not Exist: '${executionArn}'`);
    return execution;
  }

  #list(input: JsonObject): object {
    refuseUnknownFields(input, ['stateMachineArn', 'statusFilter', 'maxResults']);
    const [arn, status] = [requiredString(input, 'stateMachineArn'), optionalString(input, 'statusFilter')];
    const matching = [...this.executions.values()].filter(
      (execution) => execution.stateMachineArn === arn && (status === undefined || execution.status === status),
    );
    return {
      executions: matching
        .reverse()
        .slice(0, Number(input.maxResults ?? 100))
        .map((execution) => describe(execution)),
    };
  }
}

function describe(execution: Execution): object {
  const { executionArn, stateMachineArn, name, status, input, output, error, cause, startMs, stopMs } = execution;
  return {
    executionArn,
    stateMachineArn,
    name,
    status,
    input,
    output,
    error,
    cause,
    startDate: startMs / 1000,
    ...(stopMs === undefined ? {} : { stopDate: stopMs / 1000 }),
  };
}

function parseInput(text: string): Json {
  try {
    return JSON.parse(text);
  } catch {
    throw new AwsError('InvalidExecutionInput', 'input: expected JSON');
  }
}
