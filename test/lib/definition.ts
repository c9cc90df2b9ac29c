import { ofType } from './synthesized.ts';

export interface State {
  Type: string;
  Next?: string;
  Default?: string;
  End?: boolean;
  Resource?: string;
  TimeoutSeconds?: number;
  ResultPath?: string | null;
  Parameters?: Record<string, unknown>;
  Choices?: { Next: string }[];
  Branches?: Machine[];
  Retry?: {
    ErrorEquals: string[];
    MaxAttempts: number;
    IntervalSeconds: number;
    BackoffRate: number;
    MaxDelaySeconds?: number;
  }[];
  Catch?: { ErrorEquals: string[]; Next: string; ResultPath: string }[];
}
export interface Machine {
  StartAt: string;
  States: Record<string, State>;
  TimeoutSeconds?: number;
  QueryLanguage?: string;
}

/** The definition with an ARN in the place of every reference, as CloudFormation would hand it to the service. */
function readDefinition(): { machine: Machine; text: string } {
  const [, stateMachine] = ofType('AWS::StepFunctions::StateMachine')[0] ?? [];
  if (!stateMachine) throw new Error('the template has no state machine');
  const { 'Fn::Join': join } = stateMachine.Properties.DefinitionString as {
    'Fn::Join': [string, (string | Record<string, unknown>)[]];
  };
  const text = join[1]
    .map((part) => {
      if (typeof part === 'string') return part;
      if ('Ref' in part) return 'aws';
      const [id] = part['Fn::GetAtt'] as [string];
      return `arn:aws:lambda:eu-west-1:111122223333:function:${id}`;
    })
    .join('');
  return { machine: JSON.parse(text), text };
}
export const { machine, text: definitionText } = readDefinition();

/** Every state with its name, branches included. */
export function allStates(of: Machine = machine): [string, State][] {
  return Object.entries(of.States).flatMap(([name, state]): [string, State][] => [
    [name, state],
    ...(state.Branches ?? []).flatMap((branch) => allStates(branch)),
  ]);
}

/** @throws Error when there is no such state. */
export function stateNamed(name: string): State {
  const state = allStates().find(([candidate]) => candidate === name)?.[1];
  if (!state) throw new Error(`no state "${name}"`);
  return state;
}

/** Where a state can go. */
export function successors(state: State): string[] {
  const choices = (state.Choices ?? []).map(({ Next }) => Next);
  const catchers = (state.Catch ?? []).map(({ Next }) => Next);
  return [...choices, ...catchers, state.Default, state.Next].filter((next) => next !== undefined);
}
