/** What this run would have been billed for; read by the bench. */
export class Usage {
  /** `service.operation` → calls, refused ones included. */
  readonly operations: Record<string, number> = {};
  /** principal name → calls. */
  readonly principals: Record<string, number> = {};
  readonly denied: Record<string, number> = {};
  /** From any source: a client, the API, the state machine, an event. */
  lambdaInvocations = 0;
  gigabyteSeconds = 0;
  stateTransitions = 0;
  apiRequests = 0;
  metricDatums = 0;

  count(principal: string, operation: string): void {
    this.operations[operation] = (this.operations[operation] ?? 0) + 1;
    this.principals[principal] = (this.principals[principal] ?? 0) + 1;
  }

  countDenied(principal: string, action: string): void {
    const key = `${principal} ${action}`;
    this.denied[key] = (this.denied[key] ?? 0) + 1;
  }
}
