import { StateMachine, type StateMachineDefinition } from 'aws-local-stepfunctions';
import { isObject, type Json, type JsonObject } from '../protocol/json.ts';
import { objectList } from '../protocol/service.ts';
import type { Resource } from '../template/template.ts';

/** The library's default task timeout is 60 s; the service's is none. As long as a timer can be. Seconds. */
const NO_TIMEOUT_SECONDS = 2_000_000;

export interface Machine {
  resource: Resource;
  definition: StateMachineDefinition;
  /** Name of a Task state → what it calls. */
  tasks: Map<string, string>;
}

/** Reads the definition, gives tasks without a timeout the service's (none), and collects what they call. */
export function readDefinition(resource: Resource): Machine {
  const text = resource.properties.DefinitionString;
  const body: Json = typeof text === 'string' ? JSON.parse(text) : (resource.properties.Definition ?? null);
  if (!isObject(body)) throw new Error(`${resource.logicalId}: the lab needs DefinitionString or Definition`);
  const tasks = new Map<string, string>();
  const visit = (machine: JsonObject): void => {
    if (machine.QueryLanguage === 'JSONata')
      throw new Error(`${resource.logicalId}: the interpreter ignores JSONata; use JSONPath`);
    for (const [name, state] of Object.entries(isObject(machine.States) ? machine.States : {})) {
      if (!isObject(state)) continue;
      if (state.QueryLanguage === 'JSONata') throw new Error(`${name}: the interpreter ignores JSONata; use JSONPath`);
      if (state.HeartbeatSeconds !== undefined || state.Assign !== undefined) {
        throw new Error(`${name}: the interpreter ignores HeartbeatSeconds and Assign`);
      }
      if (state.Type === 'Task') {
        tasks.set(name, String(state.Resource));
        if (state.TimeoutSecondsPath === undefined) state.TimeoutSeconds ??= NO_TIMEOUT_SECONDS;
      }
      objectList(state.Branches).forEach(visit);
      for (const nested of [state.ItemProcessor, state.Iterator]) if (isObject(nested)) visit(nested);
    }
  };
  visit(body);
  // The interpreter validates the shape itself when it is constructed.
  const definition = body as unknown as StateMachineDefinition;
  new StateMachine(definition, { validationOptions: { checkArn: false } });
  return { resource, definition, tasks };
}
