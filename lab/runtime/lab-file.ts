import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import type { ApiConnection } from '../../cli/api-client.ts';
import { FLEET_HOSTS, FLEET_NAMES, FLEETS } from '../fleet/fleet.ts';
import { LAB_FILES } from '../shared/files.ts';
import { REGION } from '../shared/topology.ts';

const accessKeySchema = z.object({ accessKeyId: z.string().min(1), secretAccessKey: z.string().min(1) });

/** What the AWS process writes when it is ready. */
const awsReadySchema = z.object({
  operator: accessKeySchema,
  administrator: accessKeySchema,
  alertmanager: accessKeySchema,
  /** What runs as AMP. Absent: the stack has no workspace. */
  amp: z.object({ rules: z.string(), alertmanager: z.string(), credentials: accessKeySchema }).optional(),
});
export type AwsReady = z.infer<typeof awsReadySchema>;

/** @throws Error when it is not as agreed. */
export function readAwsReady(directory: string): AwsReady {
  return awsReadySchema.parse(JSON.parse(readFileSync(join(directory, LAB_FILES.awsReady), 'utf8')));
}

const hostSchema = z.object({
  name: z.string(),
  instanceId: z.string(),
  shard: z.string(),
  dataAddress: z.string(),
  managementAddress: z.string().optional(),
  /** The host's first process, in the pid namespace of who reads this. */
  pid: z.int().positive(),
});

const labSchema = z.object({
  /** Without the stage, which is part of the paths. Absent when only the fleet was started, as are the keys. */
  apiUrl: z.string().optional(),
  caFile: z.string(),
  region: z.string(),
  accessKeyId: z.string().optional(),
  secretAccessKey: z.string().optional(),
  administrator: accessKeySchema.optional(),
  prometheusUrl: z.string(),
  /** What it was started with, see fleet.ts. */
  engines: z.array(z.enum(FLEET_NAMES)),
  hosts: z.array(hostSchema),
  controlSocket: z.string(),
  /** The lab's own processes, in the pid namespace of who reads this. */
  pids: z.record(z.string(), z.int().positive()),
});
/** `lab.json`: what a user of the running lab needs. */
export type Lab = z.infer<typeof labSchema>;

/** @throws Error when no lab is described there. */
export function readLab(directory: string): Lab {
  const file = join(directory, LAB_FILES.lab);
  if (!existsSync(file)) throw new Error(`no lab is up in ${directory}: ${file} is missing; start one with \`lab up\``);
  return labSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
}

/** @throws Error when a host's first process is not among `hostPids`, or aws.json is not as agreed. */
export function describeLab(
  directory: string,
  seen: { awsPort: number; prometheusPort: number; hostPids: Record<string, number>; pids: Record<string, number> },
): Lab {
  const aws = existsSync(join(directory, LAB_FILES.awsReady)) ? readAwsReady(directory) : undefined;
  return {
    ...(aws && {
      apiUrl: `https://127.0.0.1:${seen.awsPort}`,
      ...aws.operator,
      administrator: aws.administrator,
    }),
    caFile: join(directory, LAB_FILES.caFile),
    region: REGION,
    prometheusUrl: `http://127.0.0.1:${seen.prometheusPort}`,
    engines: [...FLEETS],
    hosts: FLEET_HOSTS.map(({ name, instanceId, shard, dataAddress, managementAddress }) => {
      const pid = seen.hostPids[name];
      if (pid === undefined) throw new Error(`the first process of ${name} is gone`);
      return { name, instanceId, shard, dataAddress, ...(managementAddress && { managementAddress }), pid };
    }),
    controlSocket: join(directory, LAB_FILES.controlSocket),
    pids: seen.pids,
  };
}

/**
 * What is needed to call a running lab's API as a user.
 * @throws Error when the lab was started without its AWS side.
 */
export function connectionOf(lab: Lab): ApiConnection {
  const { apiUrl, accessKeyId, secretAccessKey, caFile, region } = lab;
  if (apiUrl === undefined || accessKeyId === undefined || secretAccessKey === undefined) {
    throw new Error('the lab that is up has no AWS side; `lab down`, then try again');
  }
  return { apiUrl, caFile, region, credentials: { accessKeyId, secretAccessKey } };
}
