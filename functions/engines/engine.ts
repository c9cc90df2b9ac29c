import type { Fault, ProbeChoice } from '../domain/experiment.ts';
import type { FailureMode } from '../domain/failure-modes.ts';
import type { RequestedParameters } from '../domain/faults/catalogue.ts';
import type { DocumentParameter } from '../domain/faults/kind.ts';
import type { ProbeMeasureName } from '../domain/measures.ts';
import type { RecordAccount } from '../domain/record-account.ts';
import type { FailoverNews } from '../domain/recovery-phases.ts';
import type { LiveNode, TargetNode } from '../domain/targets.ts';
import type { StoreTopology } from '../domain/topology.ts';
import type { ValueAccount } from '../domain/value-account.ts';

/**
 * The port of an engine, in two parts. `Engine` is what is known of a cluster without asking it: pure, for synthesis,
 * admission and injection. `Store` and `StoreProbe` talk to it. An engine implements them in a folder of its own and is
 * named in `configuration.ts`, `registry.ts` and `clients.ts`: see docs/adding-an-engine.md.
 */
export interface Engine {
  /** Every TCP port that its hosts serve, those of the stores first. */
  ports: readonly number[];
  /** Why the data, or the writes, of a shard would not survive the loss of all these nodes at once, or undefined. */
  refuseLoss(topology: StoreTopology, lost: readonly string[]): LossRefusal | undefined;
  /**
   * Why the fault on these nodes has to end: more than they was lost meanwhile. Asked again and again while it lives. Absent
   * for an engine that only its guardrails can end.
   */
  refuseDuring?(topology: StoreTopology, impacted: readonly string[]): LossRefusal | undefined;
  /** Why the probe could not see what a fault on these nodes does to clients. Absent: it always can. */
  refuseUnmeasured?(topology: StoreTopology, impacted: readonly string[]): LossRefusal | undefined;
  /**
   * Which of the impacted nodes may have its store started now, after a fault that made it end itself: one at a time, and
   * none while another node is not well. Absent: its stores never end themselves.
   */
  startsNext?(topology: StoreTopology, impacted: readonly string[]): string | undefined;
  /** What a person does about a store that was started and does not come back, where there is more than its log to read. */
  whenNotBack?: string;
  /**
   * Why no new instance could take the place of one of these nodes. Absent: of this engine nobody could say that one has, because
   * a node that is gone stays in its mind.
   */
  refuseTermination?(topology: StoreTopology, nodes: readonly string[]): string | undefined;
  /**
   * On nodes of an Auto Scaling group: the least HealthCheckGracePeriod with which a fault may be. Absent: any, where a node
   * that is replaced costs no more than another.
   */
  minHealthCheckGraceSeconds?: number;
  /** What the store goes on with after these faults were rolled back, and until when. Absent: it never does. */
  settlesAfter?(faults: readonly SettlingFault[]): Settling[];
  /** Whether its stores tell for how long they have run. Where they do not, nobody could say that one was restarted. */
  tellsUptime: boolean;
  /** Whether a node that lives answers us although most of the others are gone: what it knows itself, and our login to it. */
  answersAlone: boolean;
  /** Whether a node's clients are fenced on the rollback: a host's fence guards one node. */
  fences: boolean;
  /**
   * What the host program must know of the engine to keep clients away, on the rollback of a fault of that node, until
   * the node's role in its shards is certain: values of the engine's own document parameters.
   */
  fenceParameters(node: TargetNode, shardMembers: readonly TargetNode[]): Record<string, string>;
  /** What its probe measures of a shard. */
  probeMeasures: readonly ProbeMeasureName[];
  /** What an experiment may say of how its probe writes. Absent: nothing. */
  probeChoices?: readonly ProbeChoice[];
  /** Known ways in which it fails, by what shows them in a finished run. */
  failureModes: readonly FailureMode[];
  /** What its probe says of the health of a shard, by name: 0 or more, in this unit. */
  healthMeasures: Readonly<Record<string, HealthMeasure>>;
}

export interface SettlingFault extends Pick<Fault, 'faultId'> {
  parameters: RequestedParameters;
  impactedNodes: string[];
}

/** A host is clean before its store is: what is left is waited for. */
export interface Settling {
  faultId: string;
  nodes: string[];
  /** From the end of the rollback. */
  seconds: number;
  /** What goes on for so long, and what ends it sooner; for a person. */
  why: string;
}

export interface HealthMeasure {
  unit: string;
  /** For a person. */
  what: string;
}

/** A refusal for a person, with the numbers behind it. */
export interface LossRefusal {
  detail: string;
  numbers: Record<string, unknown>;
  /** Of `refuseDuring`: a healthy store may say so in passing. It counts when it was so at every look for this long. */
  forSeconds?: number;
}

/** A document parameter of one engine. */
export interface EngineParameter extends DocumentParameter {
  /** Its value where it says nothing: for other engines, and for faults without a fence. */
  unused: string;
}

/** What checks need to know of a running store, and what brings it back after a fault. */
export interface Store {
  /**
   * Never rejects for a node that does not answer: unknown is a problem of the topology. So is a node that answers but
   * does not do its work.
   */
  readTopology(nodes: readonly LiveNode[]): Promise<StoreTopology>;
  /**
   * Does to these nodes what the store does not do by itself once its host is well again, as far as they need it now.
   * Asked every few seconds until the topology has no problem left: idempotent, and it starts nothing twice at once.
   * @returns what was begun, one line a node; empty when nothing had to be. Never rejects: a node that cannot be
   *   repaired stays a problem of the topology.
   */
  repair(nodes: readonly LiveNode[]): Promise<string[]>;
}

/** An honest client of one shard, configured as an application should be. */
export type StoreProbe = KeyedProbe | LogProbe | ValueProbe;

interface ShardProbe {
  shard: string;
  connect(): Promise<void>;
  /** Whether the store promised to keep it. Never rejects: without an answer it did not. */
  write(key: string, value: string): Promise<boolean>;
  /**
   * What a client that asks for the latest data gets, over a connection that no write keeps busy.
   * @returns null for a key that is not there, undefined without an answer; never rejects
   */
  read(key: string): Promise<string | null | undefined>;
  /** Asks the impacted nodes directly, past any failover. */
  isOnImpacted(key: string, value: string): Promise<boolean>;
  /** Name of the node that takes the shard's writes now; undefined for an engine in which no single node does. */
  leader(): Promise<string | undefined>;
  /** The engine's `healthMeasures` as they are now, within a second. One that cannot be known is absent; never rejects. */
  health(): Promise<Record<string, number>>;
  /** The one of them that counts whole copies of the data beside the one that clients use. */
  copiesMeasure: string;
  /**
   * What the store itself says of a failover, as it says it, from `connect` to `close`.
   * @param complain told, in words, what of it we are not allowed to hear
   */
  listen(tell: (news: FailoverNews) => void, complain: (problem: string) => void): void;
  close(): void;
}

/** Of a store that finds data by their keys. */
export interface KeyedProbe extends ShardProbe {
  /** As `read`, of many, and from whoever has the latest data now. @throws Error when nobody answers */
  readAll(keys: readonly string[]): Promise<Map<string, string | null>>;
  removeAll(keys: readonly string[]): Promise<void>;
}

/** Of a store in which more can be wrong than a loss: its probe accounts for what it wrote, which ages out. */
interface AccountingProbe<A extends WriteAccount> extends ShardProbe {
  /**
   * Of everything that was written, also of what was acknowledged after `write` had given up; read back from whoever
   * has the latest data now. @throws Error when it cannot be read whole: then nobody knows
   */
  account(): Promise<A>;
}
export type WriteAccount = RecordAccount | ValueAccount;

/** Of a log: it says of a record also where it stands. */
export interface LogProbe extends AccountingProbe<RecordAccount> {
  /** From `connect` on: the key of each record of its own as it is consumed, however late. */
  follow(tell: (key: string) => void): void;
}

/** Of a store that keeps of each key the value with the latest timestamp, whoever's clock gave it. */
export type ValueProbe = AccountingProbe<ValueAccount>;

/** Texts of the cluster's secret: user name and password, and what else an engine knows there. Empty for a store without. */
export type StoreCredentials = Readonly<Record<string, string>>;

/** PEM. */
export interface Certificates {
  /** Authorities that may have signed the certificates of the stores; absent: the public ones. */
  ca?: string;
  client?: { certificate: string; key: string };
}

/** What a cluster's stores are opened with. */
export interface StoreAccess {
  credentials: StoreCredentials;
  certificates: Certificates;
}
