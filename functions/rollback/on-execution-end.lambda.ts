import { auditReader, executions, leases } from '../aws/wiring.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { type ExecutionStatusChange, type OnExecutionEndResult, onExecutionEnd } from './on-execution-end.ts';

const dependencies = { audit: auditReader(), leases: leases(), executions: executions(), clock: systemClock };

export function handler(event: ExecutionStatusChange): Promise<OnExecutionEndResult> {
  return onExecutionEnd(event, dependencies);
}
