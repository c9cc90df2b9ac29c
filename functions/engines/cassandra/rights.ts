import { isRefusal, isUnauthorized } from './connection.ts';

/** As in docs/engines/cassandra.md: all that is asked beside what every user may see. */
const VIEWS = 'SELECT ON KEYSPACE system_views';

/**
 * What of a node's own views it did not tell. A right that is missing is one problem, whatever it keeps from us.
 */
export class Untold {
  readonly #unauthorized: string[] = [];
  readonly #refused: string[] = [];

  /**
   * @param what it is asked for, in words
   * @throws Error of the connection: then the node is silent
   */
  async ask<T>(what: string, question: () => Promise<T>): Promise<T | undefined> {
    try {
      return await question();
    } catch (error) {
      if (!isRefusal(error) || !(error instanceof Error)) throw error;
      if (isUnauthorized(error)) this.#unauthorized.push(what);
      else this.#refused.push(`does not tell ${what}: ${error.message}`);
      return undefined;
    }
  }

  problems(): string[] {
    const missing = [...this.#unauthorized].sort().join(', ');
    return [...(missing === '' ? [] : [`does not tell ${missing}: the user has no ${VIEWS}`]), ...this.#refused];
  }
}
