import type { FaultKind, FaultParameters, RequestedParameters } from './faults/catalogue.ts';
import type { Hypothesis } from './hypothesis.ts';
import type { Selector } from './selectors.ts';

/** Who sent the request, as API Gateway read it from the verified signature: never from the payload. */
export interface Caller {
  arn: string;
  accountId: string;
  sourceIp: string;
}

/** One fault on named nodes of one cluster. `faultId` is `<experimentId>.<position>`, from 1, in the order of the payload. */
export interface Fault {
  faultId: string;
  /** What `after` refers to; the position as text when the payload gives none. */
  name: string;
  kind: FaultKind;
  cluster: string;
  /** Seconds after the first faults: offsets added up along `after`. The TTL is common to all. */
  startSeconds: number;
  /** Node names on which the fault is applied; for a partition the smaller group, B when both are equal. */
  impactedNodes: string[];
  parameters: FaultParameters;
  /** What the request said instead of names; absent where it named every node. */
  chosenBy?: ChosenNodes[];
}

/** Nodes that admission found for a selector, by what they were in the store then. */
export interface ChosenNodes {
  /** The parameter, a list of nodes, that they stand in. */
  field: string;
  selector: Selector;
  nodes: string[];
}

/** A fault of which it is not known yet which nodes it is on: a request chose them by their roles. */
export type UnchosenFault = Omit<Fault, 'impactedNodes' | 'parameters' | 'chosenBy'> & {
  impactedNodes?: never;
  parameters: RequestedParameters;
};
export type RequestedFault = Fault | UnchosenFault;

export type AlertSeverity = 'NONE' | 'INFO' | 'WARNING' | 'CRITICAL';

/** An experiment as parsed from a payload: everything needed to run it, nothing of its progress. */
export interface Experiment {
  experimentId: string;
  /** In the order of the payload; the seed's payload makes exactly one. */
  faults: Fault[];
  durationSeconds: number;
  safetyThreshold: { maxAlertSeverity: AlertSeverity; automaticRollbackOnAlert: boolean };
  /** Narrower than what the clusters allow; absent: theirs. Seconds. */
  budgets?: { unavailableSeconds: number };
  /** What must hold beside guardrails and budgets. */
  hypothesis?: Hypothesis;
  /** How the probe writes, where its engine leaves a choice. */
  probe?: ProbeChoices;
}

/** Of each the default comes first. An engine says which of them its probe leaves. */
export const PROBE_CHOICES = {
  /** Whose acknowledgement a write waits for: that of every copy in sync, or of the node that leads alone. */
  acks: ['all', '1'],
  /** How many copies have to answer: a majority of all, of the probe's own datacenter, or of each datacenter. */
  consistency: ['QUORUM', 'LOCAL_QUORUM', 'EACH_QUORUM'],
  /** How the client is set: for a short recovery, or as its library comes. */
  client: ['tuned', 'default'],
  /** Whose clock says which of two writes is the later one: that of the node that is asked, or the client's. */
  timestamps: ['server', 'client'],
  /** How many copies have to confirm a write beside the one that leads. */
  waitReplicas: ['1', '0'],
  /** When the client goes to another leader: once the store announces one, or not before it is disconnected. */
  follows: ['announcement', 'disconnect'],
} as const;
export type ProbeChoice = keyof typeof PROBE_CHOICES;
export type ProbeChoices = { [C in ProbeChoice]?: (typeof PROBE_CHOICES)[C][number] };
/** As a payload says it; what is admitted has names. */
export type RequestedExperiment = Omit<Experiment, 'faults'> & { faults: RequestedFault[] };

export const EXPERIMENT_STATUSES = [
  'PENDING_APPROVAL',
  'ACCEPTED',
  'INJECTED',
  'RUNNING',
  'ROLLING_BACK',
  'COMPLETED',
  'ABORTED',
  'REFUSED',
  'ROLLBACK_FAILED',
] as const;
export type ExperimentStatus = (typeof EXPERIMENT_STATUSES)[number];

export const TERMINAL_STATUSES: readonly ExperimentStatus[] = ['COMPLETED', 'ABORTED', 'REFUSED', 'ROLLBACK_FAILED'];

/** What the experiment taught: the hypothesis held, it did not, or nothing can be said. */
export const EXPERIMENT_OUTCOMES = ['CONFIRMED', 'DEVIATED', 'INCONCLUSIVE'] as const;
export type ExperimentOutcome = (typeof EXPERIMENT_OUTCOMES)[number];

export const BUDGETS = ['rtoSeconds', 'unavailableSeconds', 'lostAcknowledgedWrites'] as const;
export type BudgetName = (typeof BUDGETS)[number];

export interface BudgetVerdict {
  cluster: string;
  name: BudgetName;
  limit: number;
  /** Undefined when it could not be measured: then `met` is false and the outcome cannot be CONFIRMED. */
  measured?: number;
  met: boolean;
}

/** Names of the clusters an experiment touches, each once, in sorted order: the order in which locks are taken. */
export function clustersOf({ faults }: { faults: readonly Pick<Fault, 'cluster'>[] }): string[] {
  return [...new Set(faults.map(({ cluster }) => cluster))].sort();
}
