import type { Host } from './host.ts';

/** How the safety suite makes one fault kind happen and sees that it is there, or gone. */
export interface KindCase {
  /** Name of the host script, `network-loss`. */
  kind: string;
  /**
   * `namespace`: any Linux that has namespaces; `guest`: needs a kernel of its own (a clock, systemd); `both`: it is done
   * in another way where the kernel has more (netem).
   */
  runsIn: 'namespace' | 'guest' | 'both';
  /** Not carried by a worker there, although the kind can be. */
  withoutWorker?: true;
  /** Own parameters of its document: strong enough to be seen, harmless for the machine. */
  parameters: Record<string, string>;
  /** It brings its own store: nothing else may listen on the port. */
  ownStore?: true;
  /** What must be on the host before (a store, a data volume, …). */
  prepare?(host: Host): Promise<void>;
  /** Looks at the world (packets, processes, disk, clock), never at our own status. */
  isThere(host: Host): Promise<boolean>;
  /** What it may leave behind, as text: the same before the fault and after it. */
  traces(host: Host): Promise<string>;
}
