import { AwsError } from '../protocol/aws-error.ts';

const LISTS = ['InstanceId', 'InstanceType'] as const;

/** A call in EC2's query protocol, without its name. */
export interface Ec2Form {
  filters: { name: string; values: string[] }[];
  lists: Record<(typeof LISTS)[number], string[]>;
  /** How many of the results the caller has had already. */
  seen: number;
}

/** EC2 gives no more at once, whatever is asked for; few, so that whoever looks at the first page alone is found out. */
const PAGE = 5;

/** @throws AwsError UnknownParameter for a field that would be ignored. */
export function readForm(form: URLSearchParams): Ec2Form {
  const filters = new Map<string, { name: string; values: string[] }>();
  const lists: Ec2Form['lists'] = { InstanceId: [], InstanceType: [] };
  for (const [field, value] of form) {
    const filter = /^Filter\.(\d+)\.(Name|Value\.\d+)$/.exec(field);
    const list = LISTS.find((name) => field.startsWith(`${name}.`));
    if (filter?.[1] !== undefined) {
      const entry = filters.get(filter[1]) ?? { name: '', values: [] };
      filters.set(filter[1], entry);
      if (filter[2] === 'Name') entry.name = value;
      else entry.values.push(value);
    } else if (list !== undefined) lists[list].push(value);
    else if (!['Action', 'Version', 'MaxResults', 'NextToken'].includes(field))
      throw new AwsError('UnknownParameter', `the lab does not know ${field}`);
  }
  return { filters: [...filters.values()], lists, seen: Number(form.get('NextToken') ?? 0) };
}

/** One page of a set of items, and the token of the next one where there is more. */
export function page(set: string, items: readonly string[], { seen }: Pick<Ec2Form, 'seen'>): string {
  const next = seen + PAGE < items.length ? `<nextToken>${seen + PAGE}</nextToken>` : '';
  return `<${set}>${items.slice(seen, seen + PAGE).join('')}</${set}>${next}`;
}

/** EC2's filter values may hold `*` and `?`. */
export function like(value: string, glob: string): boolean {
  const pattern = glob
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${pattern}$`, 's').test(value);
}
