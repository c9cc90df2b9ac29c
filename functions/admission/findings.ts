import type { Clock } from '../domain/clock.ts';
import { clusterNamed } from '../domain/clusters.ts';
import type { Experiment, Fault } from '../domain/experiment.ts';
import { isFisFaultKind, peersOf } from '../domain/faults/catalogue.ts';
import { nodesHitBy, resolveTargets, subnetsToLookAt } from '../domain/resolve-targets.ts';
import { type ScalingGroup, scalingGroupsHit } from '../domain/scaling-groups.ts';
import type { LiveNode, ResolvedTargets } from '../domain/targets.ts';
import { membersOf, type Shard, type StoreTopology } from '../domain/topology.ts';
import type { Reading } from '../domain/workflow.ts';
import type { Configuration, EngineCluster } from '../engines/configuration.ts';
import type { AdmissionPorts } from './ports.ts';

/** What is seen of one cluster while an experiment is judged: each thing is looked up when first asked for, once. */
export class Findings {
  readonly experiment: Experiment;
  readonly clusterName: string;
  readonly ports: AdmissionPorts;
  readonly clock: Clock;
  readonly #configuration: Configuration;
  readonly #seen = new Map<string, Promise<unknown>>();

  constructor(
    experiment: Experiment,
    clusterName: string,
    configuration: Configuration,
    ports: AdmissionPorts,
    clock: Clock,
  ) {
    this.experiment = experiment;
    this.clusterName = clusterName;
    this.#configuration = configuration;
    this.ports = ports;
    this.clock = clock;
  }

  get clusterNames(): string[] {
    return Object.keys(this.#configuration.clusters);
  }

  /** @throws Error when the cluster is not configured; the check that asks for it stands before all that use it. */
  get cluster(): EngineCluster {
    return clusterNamed(this.#configuration.clusters, this.clusterName);
  }

  get faults(): Fault[] {
    return this.experiment.faults.filter(({ cluster }) => cluster === this.clusterName);
  }

  /** Those of them that FIS applies. */
  get fisFaults(): Fault[] {
    return this.faults.filter(({ kind }) => isFisFaultKind(kind));
  }

  /** Live nodes that a fault hits, each once: of a fault on a whole host every node of the host. */
  async hit(): Promise<LiveNode[]> {
    return nodesHitBy(this.faults, await this.liveNodes());
  }

  /** Every node the request names, impacted or on the other side. */
  get named(): string[] {
    return [...new Set(this.faults.flatMap((fault) => [...fault.impactedNodes, ...namedPeers(fault)]))];
  }

  liveNodes(): Promise<LiveNode[]> {
    return this.#once('liveNodes', () => this.ports.listLiveNodes(this.cluster));
  }

  /** Auto Scaling groups that the hosts of these faults are in. */
  scalingGroups(): Promise<ScalingGroup[]> {
    return this.#once('scalingGroups', async () => {
      return this.ports.scalingGroups(scalingGroupsHit(this.faults, await this.liveNodes()));
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
      this.ports.readTrafficShare(
        this.cluster,
        (await this.impactedShards()).map(({ name }) => name),
      ),
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
      const network = {
        interfaces: await this.ports.interfacesIn(subnetsToLookAt(this.faults, nodes)),
        ownSubnetIds: this.#configuration.network.subnetIds,
      };
      const faults = resolveTargets(this.faults, nodes, await this.topology(), exempt, network);
      return { faults, exemptAddresses: { [this.clusterName]: exempt } };
    });
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
