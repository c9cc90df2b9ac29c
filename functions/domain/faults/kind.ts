import type * as z from 'zod';
import type { Cluster } from '../configuration.ts';
import type { ResolvedFault, Surroundings } from '../targets.ts';
import type { Fields } from './fields.ts';
import type { Rule } from './rules.ts';

/** One parameter of an SSM document. `pattern` is checked by SSM (Java) and again by the agent (RE2): keep to both. */
export interface DocumentParameter {
  description: string;
  pattern: string;
}

/** Who is on the other side of a network fault. `undefined`: the kind has no other side. */
export type PeerSelection =
  | { by: 'names'; nodes: string[] }
  | { by: 'availabilityZone'; availabilityZone: string }
  /** Every other node of the cluster. */
  | { by: 'all' };

/** The names of those that several kinds may work on, or that had a name before. Any other is the kind's own name. */
type Resource<K extends string> =
  | ScriptName<K>
  | 'packet-filter'
  | 'queueing'
  | 'process'
  | 'cpu'
  | 'memory'
  | 'disk-space'
  | 'disk-io'
  | 'clock'
  | 'instance'
  | 'volume'
  | 'subnet';
/** `NETWORK_LOSS` → `network-loss`. */
type ScriptName<K extends string> = K extends `${infer Word}_${infer Rest}`
  ? `${Lowercase<Word>}-${ScriptName<Rest>}`
  : Lowercase<K>;

/** Lists of nodes are what a request says of them: roles, perhaps. */
type WithoutNodes<P> = { [N in keyof P]: P[N] extends string[] | undefined ? unknown : P[N] };

/** Added to the undo of a node that is fenced. */
export const FENCE_UNDO = 'all of it behind the fence: clients are kept away until the role of the node is certain';

/** What one node is told, beside the parameters that all documents have, and its undo in words. */
export interface KindCommand {
  parameters: Record<string, string>;
  undo: string[];
}

/** What every kind says about itself, whoever runs it. `P` is what `schema` makes of the payload's `parameters`. */
interface KindBase<K extends string, P> {
  /** The API's name; `scriptName(kind)` is that of its program and its document. */
  kind: K;
  /** One sentence for the table of kinds. */
  description: string;
  /** The payload's `parameters`, units in the names. */
  fields: Fields;
  /** What two fields together may not say. */
  rules: readonly Rule[];
  /** Made of `fields` and `rules`; and for each field what it may hold, in words for a person. */
  schema: z.ZodType<P>;
  /** As `schema`, of what a request says: lists of nodes may have roles in them. */
  requestSchema: z.ZodType;
  allowed: Record<string, string>;
  /** What an impacted node is called while the fault holds (`ISOLATED`, …). */
  faultState: string;
  /** A payload's `parameters` that is valid: in the table of kinds, and in the tests. */
  example: Readonly<Record<string, unknown>>;
  /** What no two faults of one host may share; an `instance` is shared with every other fault on it. */
  resource: Resource<K>;
  /** Names of the nodes the fault is applied on. */
  impactedNodes(parameters: P): string[];
  peers?(parameters: P): PeerSelection;
  /**
   * Why this cluster may not have it, in words, or undefined. Asked at admission, before it is known which nodes it is on.
   * @param storePorts every port that the hosts of the cluster serve
   */
  refuse?(parameters: WithoutNodes<P>, cluster: Cluster, storePorts: readonly number[]): string | undefined;
  /** Of a fault that comes and goes: the field that says so, and from one beginning to the next; undefined: it does not. */
  comesBackAfter?: { field: string; seconds(parameters: WithoutNodes<P>): number | undefined };
  /** What no rollback undoes, in words; shown in the dry run and in the report. */
  irreversible?: string;
}

/** A fault that the host's own watchdog applies and reverts. */
export interface HostKind<K extends string, P> extends KindBase<K, P> {
  runsOn: 'host';
  /** Own parameters of its SSM document: those fields that have a text form, and what is known of the targets. */
  document: Record<string, DocumentParameter>;
  /** Must clients be kept away on the rollback until the role of the node in its shards is certain? */
  fence: boolean;
  /** Nothing on the host tells of it but its record: no rule, queue or process carries the mark of the fault. */
  unmarked?: true;
  /** @param cluster as it is for the node: `unit` and `dataDirectory` are the node's own. */
  command(parameters: P, fault: ResolvedFault, cluster: Cluster): KindCommand;
}

/** A fault that AWS FIS applies and ends: out of the lease's reach, bounded by the service. */
export interface FisKind<K extends string, P> extends KindBase<K, P> {
  runsOn: 'fis';
  /** Only on clusters of tier staging; `refuse` says so for every kind that has it. */
  stagingOnly?: boolean;
  /** Why these nodes cannot have it (no data volume, several zones), or undefined. To be asked before `action`. */
  refuseTargets?(parameters: P, fault: ResolvedFault): string | undefined;
  /**
   * Why what stands around these nodes forbids it, or undefined: for a kind that hits more than its nodes. Asked at
   * admission and when the targets are resolved; kinds without it are not looked around for.
   */
  refuseSurroundings?(parameters: P, fault: ResolvedFault, surroundings: Surroundings): string | undefined;
  /**
   * The store's process must have started again since the service began: for an action that is answered before it is
   * done, and of which the service shows no trace.
   */
  restartsStore?: boolean;
  /** The instance does not come back: its Auto Scaling group has to start another one, to which the store's data are moved. */
  isReplaced?: boolean;
  /** @param remainingSeconds of the TTL. The one action and its targets of a template made for exactly these nodes. */
  action(parameters: P, fault: ResolvedFault, remainingSeconds: number): FisAction;
}

/** What of a FIS experiment template is the kind's own; `functions/aws/fis/template.ts` adds tags, role and stop conditions. */
export interface FisAction {
  /** `aws:ec2:stop-instances`, … */
  actionId: string;
  /** FIS action parameters, durations in ISO 8601 (`PT2M`). */
  parameters: Record<string, string>;
  /** Name of the action's target (`Instances`, `Volumes`, `Subnets`), its resource type, and the resources. */
  target: {
    name: string;
    resourceType: string;
    resources: { kind: 'instance' | 'volume' | 'subnet'; id: string }[];
  };
  undo: string[];
  /** Longest life of the fault if nobody ends it, seconds, by the service alone; absent: it ends by itself at once. */
  boundSeconds?: number;
}

/** A kind whose parameters were checked by its own schema: `catalogue.ts` keeps the two together. */
export type AnyHostKind = HostKind<string, unknown>;
export type AnyFisKind = FisKind<string, unknown>;
export type AnyKind = AnyHostKind | AnyFisKind;

/** FIS takes five stop conditions a template, and the guard's heartbeat alarm is always one of them. */
export const MAX_STOP_CONDITION_ALARMS = 4;
/** FIS takes so many resources by their ARNs; nobody can raise it. */
export const MAX_RESOURCES_PER_TARGET = 5;
