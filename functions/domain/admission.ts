import type { ApprovalDemand, StandingApproval } from './approval.ts';
import type { Closing } from './closing.ts';
import type { Cluster } from './configuration.ts';
import type { Experiment } from './experiment.ts';
import type { Irreversible } from './faults/catalogue.ts';
import type { FisFault } from './fis-fault.ts';
import type { Problem } from './problem.ts';
import type { ScalingGroup } from './scaling-groups.ts';
import type { ResolvedFault } from './targets.ts';
import type { NodeCommand, Reading } from './workflow.ts';

/** What admission answers: the way in and the function that admits are two Lambdas. */
export type Admission =
  | { admitted: true; experiment: Experiment; facts: AdmissionFacts; wouldRun: PlannedAct[] }
  | { admitted: false; problem: Problem };

export interface AdmissionFacts {
  clusters: ClusterFacts[];
  targets: ResolvedFault[];
  /** What no rollback undoes. */
  irreversible: Irreversible[];
  /** Absent: none of the clusters asks for one. */
  approval?: ApprovalDemand;
  /** By which a schedule starts by itself what needs an approval. */
  standingApproval?: StandingApproval;
  /** Its start is announced this long ahead; absent: it is not. Seconds. */
  leadSeconds?: number;
  /** Until when its faults may live: the earliest end of a window, a calendar or the hours of a principal. Absent: there is none. */
  closing?: Closing;
}

/** What admission saw of one cluster: the numbers of a dry run and of the ADMITTED entry. Percentages 0 to 100. */
export interface ClusterFacts {
  cluster: string;
  tier: Cluster['tier'];
  liveNodes: number;
  /** Every node on a host that a fault hits, named or not. */
  impactedNodes: number;
  impactedNodesPct: number;
  maxNodesPct: number;
  impactedShards: string[];
  trafficSharePct: number;
  maxTrafficSharePct: number;
  /** Auto Scaling groups of the targets, as they may be: none would replace a target. */
  scalingGroups?: ScalingGroup[];
  /** Why the store will not survive it, where its configuration allows that. Absent: it will, as far as replication says. */
  toleratedLoss?: string;
  /** Of the store, for a person: nothing is refused for them. */
  warnings?: string[];
  guardrails: Reading[];
  worstCase: WorstCase;
}

/** One step on the way from a breach to a lifted fault. */
export interface Term {
  step: string;
  seconds: number;
}

/** How long a fault can live after the reason to end it, whatever fails; every sum is shown with its terms. */
export interface WorstCase {
  /** From a breach (or from telemetry going blind) to the fault being lifted. */
  abortSeconds: number;
  abortTerms: Term[];
  /** From the death of the control plane, or of the way to it, to the fault being lifted. */
  leaseLossSeconds: number;
  /** With everything dead but the host itself. */
  ttlSeconds: number;
  /** After the fault is lifted, clients may be kept away from a node whose role is in doubt for this long. */
  fenceSeconds: number;
  /** Only with faults that FIS applies. */
  service?: FisWorstCase;
  /** Only where telemetry is in AMP: from a breach to its alerting rules seeing it. The guard does not wait for them. */
  rules?: { seconds: number; terms: Term[] };
}

/** FIS does not read the lease. What ends its faults when the control plane cannot is an alarm, and their own duration. */
export interface FisWorstCase {
  /** From the last heartbeat of the guard to the alarm on which FIS stops the experiment. */
  withoutGuardSeconds: number;
  withoutGuardTerms: Term[];
  /** Longest life of each fault by FIS alone; null: it ends by itself at once, and cannot be ended before. */
  bounds: { faultId: string; kind: string; seconds: number | null }[];
}

/** One command to one host as it would be sent, and what takes it back. */
export interface CommandPlan extends Omit<NodeCommand, 'kind'> {
  startSeconds: number;
  document: string;
}

/** One FIS experiment as it would be made; `action` has its undo and its bound. */
export interface FisPlan extends FisFault {
  startSeconds: number;
}

export type PlannedAct = CommandPlan | FisPlan;
