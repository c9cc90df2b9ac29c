/** An answer that AWS would give as an error; each protocol renders it in its own shape. */
export class AwsError extends Error {
  readonly code: string;
  readonly status: number;
  /** Further fields of the error document. */
  readonly fields: Record<string, unknown>;

  constructor(code: string, message: string, status = 400, fields: Record<string, unknown> = {}) {
    super(message);
    this.name = code;
    this.code = code;
    this.status = status;
    this.fields = fields;
  }
}

/** The stand-ins answer only what the product calls. */
export function unknownOperation(service: string, operation: string): AwsError {
  return new AwsError('UnknownOperationException', `the lab's stand-in for ${service} does not know ${operation}`);
}
