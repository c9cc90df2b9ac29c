import type { z } from 'zod';
import type { Cluster } from '../configuration.ts';
import { azDisconnect } from './az-disconnect.ts';
import { clockDrift } from './clock-drift.ts';
import { cpuSpike } from './cpu-spike.ts';
import { diskFull } from './disk-full.ts';
import { diskIo } from './disk-io.ts';
import { instanceReboot } from './instance-reboot.ts';
import { instanceStop } from './instance-stop.ts';
import type { AnyHostKind, AnyKind, AnyServiceKind, PeerSelection } from './kind.ts';
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
 * and the module on the host, the SSM document, the test. A new kind is one more line in each of these two tables.
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
export const SERVICE_KINDS = {
  INSTANCE_STOP: instanceStop,
  INSTANCE_REBOOT: instanceReboot,
  VOLUME_PAUSE_IO: volumePauseIo,
  VOLUME_LATENCY: volumeLatency,
  AZ_DISCONNECT: azDisconnect,
} as const;
const KINDS = { ...HOST_KINDS, ...SERVICE_KINDS } as const;

export type HostFaultKind = keyof typeof HOST_KINDS;
export type ServiceFaultKind = keyof typeof SERVICE_KINDS;
export type FaultKind = keyof typeof KINDS;
/** Not empty: zod's `enum` asks for that. */
export const FAULT_KINDS = Object.keys(KINDS) as [FaultKind, ...FaultKind[]];
export const HOST_FAULT_KINDS = Object.keys(HOST_KINDS) as [HostFaultKind, ...HostFaultKind[]];

/** What the schema of a kind makes of the payload's `parameters`. */
export type FaultParameters = {
  [K in FaultKind]: { kind: K } & z.output<(typeof KINDS)[K]['schema']>;
}[FaultKind];

export function kindOf(kind: FaultKind): AnyKind {
  return KINDS[kind];
}

export function hostKindOf(kind: HostFaultKind): AnyHostKind {
  return HOST_KINDS[kind];
}

export function serviceKindOf(kind: ServiceFaultKind): AnyServiceKind {
  return SERVICE_KINDS[kind];
}

export function isHostFaultKind(kind: FaultKind): kind is HostFaultKind {
  return Object.hasOwn(HOST_KINDS, kind);
}

export function isServiceFaultKind(kind: FaultKind): kind is ServiceFaultKind {
  return Object.hasOwn(SERVICE_KINDS, kind);
}

/** `NETWORK_PARTITION` → `network-partition`: the name of the kind's host script and SSM document. */
export function scriptName(kind: FaultKind): string {
  return kind.toLowerCase().replaceAll('_', '-');
}

/** What a node of the seed's status document is called while the fault holds. */
export function faultState(kind: FaultKind): string {
  return kindOf(kind).faultState;
}

/** Who is on the other side of the fault, as the payload says it; undefined for kinds without another side. */
export function peersOf(parameters: FaultParameters): PeerSelection | undefined {
  return kindOf(parameters.kind).peers?.(parameters);
}

/** Names of the nodes the fault is applied on. */
export function impactedNodesOf(parameters: FaultParameters): string[] {
  return kindOf(parameters.kind).impactedNodes(parameters);
}

/** Why this cluster may not have the fault, whatever the payload says; undefined when it may. */
export function refusalOf(parameters: FaultParameters, cluster: Cluster): string | undefined {
  return kindOf(parameters.kind).refuse?.(parameters, cluster);
}
