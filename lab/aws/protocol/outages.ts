import type { WireRequest } from './http.ts';

/** A service that does not answer, or one table of DynamoDB. */
export interface Outage {
  /** As in the credential scope. */
  service: string;
  /** Only requests whose body names a resource of which this is a part. */
  resource?: string;
}

/** What is down now: whoever calls it waits until it gives up. */
export class Outages {
  now: readonly Outage[] = [];

  cover(service: string, { body }: Pick<WireRequest, 'body'>): boolean {
    return this.now.some(
      (outage) => outage.service === service && (outage.resource === undefined || body.includes(outage.resource)),
    );
  }
}
