import { isObject, type Json } from '../protocol/json.ts';

/** A service that assumes a role, and for what it says that it does. */
export interface Assumer {
  /** As `lambda.amazonaws.com`. */
  service: string;
  /** Which it sends as `aws:SourceArn`, and its account as `aws:SourceAccount`; absent: it sends neither. */
  sourceArn?: string | undefined;
}

/**
 * Whether a trust policy lets that service assume the role. As IAM does, a condition on a key that was not sent does not hold.
 * @throws Error for what the lab does not know: it would be kinder than IAM
 */
export function isTrusted(document: Json | undefined, assumer: Assumer): boolean {
  const statements = isObject(document) ? listOf(document.Statement) : [];
  return statements.filter(isObject).some(({ Effect, Action, Principal, Condition }) => {
    if (Effect !== 'Allow') throw new Error(`the lab knows only Allow in a trust policy, not ${String(Effect)}`);
    const services = isObject(Principal) ? listOf(Principal.Service) : [];
    const isMeant = listOf(Action).includes('sts:AssumeRole') && services.includes(assumer.service);
    return isMeant && (Condition === undefined || holds(Condition, assumer));
  });
}

function holds(condition: Json, { sourceArn }: Assumer): boolean {
  if (!isObject(condition)) throw new Error('a Condition is an object');
  const [, , , , accountId] = sourceArn?.split(':') ?? [];
  const sent: Record<string, string | undefined> = { 'aws:SourceArn': sourceArn, 'aws:SourceAccount': accountId };
  return Object.entries(condition).every(([operator, keys]) => {
    const matches = OPERATORS[operator];
    if (matches === undefined || !isObject(keys)) throw new Error(`the lab does not know the operator ${operator}`);
    return Object.entries(keys).every(([key, patterns]) => {
      if (!Object.hasOwn(sent, key)) throw new Error(`the lab does not know the key ${key} of a trust policy`);
      const value = sent[key];
      return value !== undefined && listOf(patterns).some((pattern) => matches(value, String(pattern)));
    });
  });
}

const isLike = (value: string, pattern: string): boolean =>
  new RegExp(
    `^${pattern
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.')}$`,
  ).test(value);
/** A wildcard of an ARN does not reach over its first five colons. */
const isArnLike = (value: string, pattern: string): boolean => {
  const [values, patterns] = [value, pattern].map((arn) => [
    ...arn.split(':').slice(0, 5),
    arn.split(':').slice(5).join(':'),
  ]);
  return (values ?? []).every((part, index) => isLike(part, patterns?.[index] ?? ''));
};
const OPERATORS: Record<string, (value: string, pattern: string) => boolean> = {
  StringEquals: (value, wanted) => value === wanted,
  StringLike: isLike,
  ArnEquals: isArnLike,
  ArnLike: isArnLike,
};

function listOf(value: Json | undefined): Json[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value];
}
