import { BrokerRefusal } from './connection.ts';

interface Right {
  /** As in docs/engines/kafka.md. */
  acl: string;
  /** What it is for. */
  what: string;
}

/** The sentence for an answer that the user has no right to, or undefined for any other. */
const missing = ({ acl, what }: Right) => {
  return (error: unknown): string | undefined =>
    error instanceof BrokerRefusal && error.codes.some((code) => code.endsWith('_AUTHORIZATION_FAILED'))
      ? `does not tell ${what}: the user has no ACL ${acl}`
      : undefined;
};
const right = (acl: string, what: string) => ({ acl, what, missing: missing({ acl, what }) });

export const RIGHTS = {
  quorum: right('Describe on the cluster', 'who the controller is'),
  reassignments: right('Describe on the cluster', 'what is being reassigned'),
  logDirectories: right('Describe on the cluster', 'how its log directories are'),
  groups: right('Describe on the cluster', 'which groups it coordinates'),
  brokerSettings: right('DescribeConfigs on the cluster', 'its settings'),
  topicSettings: right('DescribeConfigs on topic *', 'the settings of its topics'),
  topics: right('Describe on topic *', 'all of its topics'),
} as const;

export type Granted = <T>(
  right: (typeof RIGHTS)[keyof typeof RIGHTS],
  question: () => Promise<T>,
) => Promise<T | undefined>;

/** Asks what one right is needed for; without an answer there is a problem that says which, or why. */
export function granted(problems: string[]): Granted {
  return async (needed, question) => {
    try {
      return await question();
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      problems.push(needed.missing(error) ?? `does not tell ${needed.what}: ${why}`);
      return undefined;
    }
  };
}
