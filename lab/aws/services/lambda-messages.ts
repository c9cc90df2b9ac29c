/** What crosses the pipe between the Lambda stand-in and an execution environment. */
export interface ToRuntime {
  requestId: string;
  functionArn: string;
  timeoutMs: number;
  event: unknown;
}

export interface RuntimeError {
  errorType: string;
  errorMessage: string;
  trace: string[];
}

export type FromRuntime =
  | { kind: 'ready' }
  | { kind: 'succeeded'; payload: string }
  | { kind: 'threw'; error: RuntimeError }
  /** The process is about to end. */
  | { kind: 'failed'; error: RuntimeError };
