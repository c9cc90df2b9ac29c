import { AwsError } from '../protocol/aws-error.ts';

const LISTS = ['InstanceId', 'InstanceType'] as const;

/** A call in EC2's query protocol, without its name. */
export interface Ec2Form {
  filters: { name: string; values: string[] }[];
  lists: Record<(typeof LISTS)[number], string[]>;
}

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
    else if (!['Action', 'Version', 'MaxResults'].includes(field))
      throw new AwsError('UnknownParameter', `the lab does not know ${field}`);
  }
  return { filters: [...filters.values()], lists };
}

/** EC2's filter values may hold `*` and `?`. */
export function like(value: string, glob: string): boolean {
  const pattern = glob
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${pattern}$`, 's').test(value);
}
