import type { StandingApproval } from '../domain/approval.ts';
import { type Choice, chooseNodes } from '../domain/choose-nodes.ts';
import type { Clock } from '../domain/clock.ts';
import { beginsWithinSeconds, type Closing } from '../domain/closing.ts';
import { clusterNamed } from '../domain/clusters.ts';
import type { Caller, Fault, RequestedExperiment, RequestedFault } from '../domain/experiment.ts';
import { conflicts } from '../domain/fault-order.ts';
import { isFisFaultKind, peersOf } from '../domain/faults/catalogue.ts';
import type { FieldError } from '../domain/problem.ts';
import { nodesHitBy, resolveTargets, subnetsToLookAt } from '../domain/resolve-targets.ts';
import { type ScalingGroup, scalingGroupsHit } from '../domain/scaling-groups.ts';
import type { LiveNode, ResolvedTargets } from '../domain/targets.ts';
import { membersOf, type Shard, type StoreTopology } from '../domain/topology.ts';
import type { Reading } from '../domain/workflow.ts';
import type { Configuration, EngineCluster } from '../engines/configuration.ts';
import type { LossRefusal } from '../engines/engine.ts';
import { engineOf } from '../engines/registry.ts';
import type { AdmissionPorts } from './ports.ts';

/** What is seen of one cluster while an experiment is judged: each thing is looked up when first asked for, once. */
export class Findings {
  readonly experiment: RequestedExperiment;
  readonly clusterName: string;
  readonly ports: AdmissionPorts;
  readonly clock: Clock;
  /** Who wants to start it. */
  readonly caller: Caller;
  /** Until when it is allowed: each check that allows it only for a time adds when that ends. */
  readonly closings: Closing[] = [];
  /** It was admitted before, and its announced time has come: what it chose by roles has names. */
  readonly isAnnounced: boolean;
  /** From now until its faults are there, at the longest. */
  readonly beginsWithinSeconds: number;
  readonly #configuration: Configuration;
  readonly #seen = new Map<string, Promise<unknown>>();

  constructor(
    experiment: RequestedExperiment,
    clusterName: string,
    configuration: Configuration,
    ports: AdmissionPorts,
    clock: Clock,
    caller: Caller,
    { leadSeconds = 0, isAnnounced = false }: { leadSeconds?: number | undefined; isAnnounced?: boolean } = {},
  ) {
    this.experiment = experiment;
    this.isAnnounced = isAnnounced;
    this.beginsWithinSeconds = (isAnnounced ? 0 : leadSeconds) + beginsWithinSeconds(experiment.faults);
    this.clusterName = clusterName;
    this.#configuration = configuration;
    this.ports = ports;
    this.clock = clock;
    this.caller = caller;
  }

  get clusterNames(): string[] {
    return Object.keys(this.#configuration.clusters);
  }

  /** From now on its faults may live so long. */
  get livesSeconds(): number {
    return this.beginsWithinSeconds + this.experiment.durationSeconds;
  }

  get principals(): Configuration['principals'] {
    return this.#configuration.principals;
  }

  standingApprovalOf(schedule: string): StandingApproval | undefined {
    const { schedules } = this.#configuration;
    return Object.hasOwn(schedules, schedule) ? schedules[schedule]?.standingApproval : undefined;
  }

  /** @throws Error when the cluster is not configured; the check that asks for it stands before all that use it. */
  get cluster(): EngineCluster {
    return clusterNamed(this.#configuration.clusters, this.clusterName);
  }

  /** As the request says them: some may choose their nodes by roles. */
  get requested(): RequestedFault[] {
    return this.experiment.faults.filter(({ cluster }) => cluster === this.clusterName);
  }

  /** Those of them that FIS applies. */
  get fisFaults(): RequestedFault[] {
    return this.requested.filter(({ kind }) => isFisFaultKind(kind));
  }

  /**
   * Its faults, each on named nodes. Where the request names all of them, nothing is looked at.
   * @throws Error when a choice is not certain; the check that asks stands before all that use it.
   */
  async faults(): Promise<Fault[]> {
    return (await this.choices()).map((choice) => {
      if (!choice.ok) throw new Error(choice.errors.map(({ field, message }) => `${field} ${message}`).join('; '));
      return choice.fault;
    });
  }

  choices(): Promise<Choice[]> {
    return this.#once('choices', () =>
      Promise.all(
        this.requested.map(async (fault): Promise<Choice> => {
          if (fault.impactedNodes) return { ok: true, fault };
          const live = (await this.liveNodes()).map(({ name }) => name);
          return chooseNodes(fault, live, await this.topology(), this.#placeOf(fault));
        }),
      ),
    );
  }

  /** What two faults of one node may not be, now that the nodes are known. */
  async conflicts(): Promise<FieldError[]> {
    const faults = await this.faults();
    return conflicts(
      this.experiment.faults.map((requested) => faults.find((own) => own.faultId === requested.faultId) ?? requested),
    );
  }

  /** Live nodes that a fault hits, each once: of a fault on a whole host every node of the host. */
  async hit(): Promise<LiveNode[]> {
    return nodesHitBy(await this.faults(), await this.liveNodes());
  }

  /** Why replication does not survive the loss of all that is hit; undefined: it does. */
  async loss(): Promise<LossRefusal | undefined> {
    const hit = (await this.hit()).map(({ name }) => name);
    return engineOf(this.cluster).refuseLoss(await this.topology(), hit);
  }

  /** Every node the request names or chooses, impacted or on the other side. */
  async named(): Promise<string[]> {
    return [...new Set((await this.faults()).flatMap((fault) => [...fault.impactedNodes, ...namedPeers(fault)]))];
  }

  liveNodes(): Promise<LiveNode[]> {
    return this.#once('liveNodes', () => this.ports.listLiveNodes(this.cluster));
  }

  /** Auto Scaling groups that the hosts of these faults are in. */
  scalingGroups(): Promise<ScalingGroup[]> {
    return this.#once('scalingGroups', async () => {
      return this.ports.scalingGroups(scalingGroupsHit(await this.faults(), await this.liveNodes()));
    });
  }

  topology(): Promise<StoreTopology> {
    return this.#once('topology', async () => this.ports.readTopology(this.cluster, await this.liveNodes()));
  }

  async impactedShards(): Promise<Shard[]> {
    const { shards } = await this.topology();
    const hit = new Set((await this.hit()).map(({ name }) => name));
    return shards.filter((shard) => membersOf(shard).some((node) => hit.has(node)));
  }

  trafficShare(): Promise<number> {
    return this.#once('trafficShare', async () =>
      this.ports.readTrafficShare(this.cluster, {
        shards: (await this.impactedShards()).map(({ name }) => name),
        nodes: (await this.hit()).map(({ name }) => name),
      }),
    );
  }

  guardrails(): Promise<Reading[]> {
    return this.#once('guardrails', () => this.ports.readGuardrails(this.clusterName, this.cluster));
  }

  /**
   * The named nodes as they are now; the state machine resolves them again just before injection.
   * @throws WorkflowError TargetsUnresolved when one cannot be resolved, or when a fault would cut telemetry.
   */
  targets(): Promise<ResolvedTargets> {
    return this.#once('targets', async () => {
      const exempt = await this.ports.exemptAddresses(this.cluster);
      const nodes = await this.liveNodes();
      const named = await this.faults();
      const network = {
        interfaces: await this.ports.interfacesIn(subnetsToLookAt(named, nodes)),
        ownSubnetIds: this.#configuration.network.subnetIds,
      };
      const faults = resolveTargets(
        named,
        nodes,
        await this.topology(),
        exempt,
        network,
        engineOf(this.cluster).fences,
      );
      return { faults, exemptAddresses: { [this.clusterName]: exempt } };
    });
  }

  /** One fault may stand in either form of a payload: then the shorter place is said. */
  #placeOf(fault: RequestedFault): string[] {
    const { faults } = this.experiment;
    return faults.length === 1 ? ['parameters'] : ['faults', String(faults.indexOf(fault)), 'parameters'];
  }

  #once<T>(what: string, look: () => Promise<T>): Promise<T> {
    const seen = (this.#seen.get(what) as Promise<T> | undefined) ?? look();
    this.#seen.set(what, seen);
    return seen;
  }
}

function namedPeers({ parameters }: Fault): string[] {
  const selection = peersOf(parameters);
  return selection?.by === 'names' ? selection.nodes : [];
}
