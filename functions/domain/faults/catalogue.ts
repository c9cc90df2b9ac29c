import type * as z from 'zod';
import type { Cluster } from '../configuration.ts';
import { azDisconnect } from './az-disconnect.ts';
import { clockDrift } from './clock-drift.ts';
import { cpuSpike } from './cpu-spike.ts';
import { diskFull } from './disk-full.ts';
import { diskIo } from './disk-io.ts';
import { instanceReboot } from './instance-reboot.ts';
import { instanceStop } from './instance-stop.ts';
import { instanceTerminate } from './instance-terminate.ts';
import type { AnyFisKind, AnyHostKind, AnyKind, PeerSelection } from './kind.ts';
import { memoryPressure } from './memory-pressure.ts';
import { networkLatency } from './network-latency.ts';
import { networkLoss } from './network-loss.ts';
import { networkPartition } from './network-partition.ts';
import { processKill } from './process-kill.ts';
import { processPause } from './process-pause.ts';
import { volumeLatency } from './volume-latency.ts';
import { volumePauseIo } from './volume-pause-io.ts';

/**
 * The fault kinds this version can inject. One name everywhere: the API's value, the file beside this one, the script
 * and the module on the host, the SSM document, the test. A new kind is one more line in one of these two tables.
 */
export const HOST_KINDS = {
  NETWORK_PARTITION: networkPartition,
  NETWORK_LATENCY: networkLatency,
  NETWORK_LOSS: networkLoss,
  PROCESS_KILL: processKill,
  PROCESS_PAUSE: processPause,
  CPU_SPIKE: cpuSpike,
  MEMORY_PRESSURE: memoryPressure,
  DISK_FULL: diskFull,
  DISK_IO: diskIo,
  CLOCK_DRIFT: clockDrift,
} as const;
/** Faults that AWS FIS applies. */
export const FIS_KINDS = {
  INSTANCE_STOP: instanceStop,
  INSTANCE_REBOOT: instanceReboot,
  INSTANCE_TERMINATE: instanceTerminate,
  VOLUME_PAUSE_IO: volumePauseIo,
  VOLUME_LATENCY: volumeLatency,
  AZ_DISCONNECT: azDisconnect,
} as const;
const KINDS = { ...HOST_KINDS, ...FIS_KINDS } as const;

export type HostFaultKind = keyof typeof HOST_KINDS;
export type FisFaultKind = keyof typeof FIS_KINDS;
export type FaultKind = keyof typeof KINDS;
/** Not empty: zod's `enum` asks for that. */
export const FAULT_KINDS = Object.keys(KINDS) as [FaultKind, ...FaultKind[]];
export const HOST_FAULT_KINDS = Object.keys(HOST_KINDS) as [HostFaultKind, ...HostFaultKind[]];
export const FIS_FAULT_KINDS = Object.keys(FIS_KINDS) as [FisFaultKind, ...FisFaultKind[]];

/** What the schema of a kind makes of the payload's `parameters`. */
export type FaultParameters = {
  [K in FaultKind]: { kind: K } & z.output<(typeof KINDS)[K]['schema']>;
}[FaultKind];

/** The same as a request says it: in a list of nodes may be roles instead of names. */
export type RequestedParameters = { kind: FaultKind } & Readonly<Record<string, unknown>>;

export function kindOf(kind: FaultKind): AnyKind {
  return KINDS[kind];
}

export function hostKindOf(kind: HostFaultKind): AnyHostKind {
  return HOST_KINDS[kind];
}

export function fisKindOf(kind: FisFaultKind): AnyFisKind {
  return FIS_KINDS[kind];
}

export function isHostFaultKind(kind: FaultKind): kind is HostFaultKind {
  return Object.hasOwn(HOST_KINDS, kind);
}

export function isFisFaultKind(kind: FaultKind): kind is FisFaultKind {
  return Object.hasOwn(FIS_KINDS, kind);
}

/** `NETWORK_PARTITION` → `network-partition`: the name of the kind's files and SSM document. */
export function scriptName(kind: FaultKind): string {
  return kind.toLowerCase().replaceAll('_', '-');
}

/** Whether the instances that it hits are gone for good, and others have to take their places. */
export function isReplacedAfter(kind: FaultKind): boolean {
  return isFisFaultKind(kind) && fisKindOf(kind).isReplaced === true;
}

/** What a node of the seed's status document is called while the fault holds. */
export function faultState(kind: FaultKind): string {
  return kindOf(kind).faultState;
}

/** Whether these are parameters as the schema of their kind makes them. */
export function isFaultParameters(value: unknown): boolean {
  return isParameters(value, 'schema');
}

/** Whether these are parameters as a request may say them. */
export function isRequestedParameters(value: unknown): boolean {
  return isParameters(value, 'requestSchema');
}

function isParameters(value: unknown, schema: 'schema' | 'requestSchema'): boolean {
  const { kind: name, ...parameters } = (value ?? {}) as { kind?: unknown };
  const kind = FAULT_KINDS.find((known) => known === name);
  return kind !== undefined && kindOf(kind)[schema].safeParse(parameters).success;
}

/** Who is on the other side of the fault, as the payload says it; undefined for kinds without another side. */
export function peersOf(parameters: FaultParameters): PeerSelection | undefined {
  return kindOf(parameters.kind).peers?.(parameters);
}

/** Names of the kind's parameters that are lists of nodes. */
export function nodeFieldsOf(kind: FaultKind): string[] {
  return Object.entries(kindOf(kind).fields).flatMap(([name, { values }]) =>
    values.type === 'nodeNames' ? [name] : [],
  );
}

/** Names of the nodes the fault is applied on. */
export function impactedNodesOf(parameters: FaultParameters): string[] {
  return kindOf(parameters.kind).impactedNodes(parameters);
}

/** Why this cluster may not have the fault, whatever the payload says; undefined when it may. */
export function refusalOf(
  parameters: FaultParameters | RequestedParameters,
  cluster: Cluster,
  storePorts: readonly number[],
): string | undefined {
  return kindOf(parameters.kind).refuse?.(parameters, cluster, storePorts);
}

/** A kind works on one store's process, or on the host and with it on every store that the host runs. */
export function hitsWholeHost(kind: FaultKind): boolean {
  return kindOf(kind).resource !== 'process';
}

/** Whether two faults of one host would work on the same thing, or one takes away the instance under the other. */
export function collide(one: FaultKind, other: FaultKind): boolean {
  const [first, second] = [kindOf(one).resource, kindOf(other).resource];
  return first === second || first === 'instance' || second === 'instance';
}

/** An effect that stays, in words. */
export interface Irreversible {
  faultId: string;
  kind: FaultKind;
  text: string;
}

/** What no rollback undoes of these faults; for the dry run, the ADMITTED entry and the report. */
export function irreversibleOf(faults: readonly { faultId: string; kind: FaultKind }[]): Irreversible[] {
  return faults.flatMap(({ faultId, kind }) => {
    const text = kindOf(kind).irreversible;
    return text === undefined ? [] : [{ faultId, kind, text }];
  });
}
