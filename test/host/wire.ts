/** Addresses on the one wire of a test world: the host, its peer, a client that is no peer, the AWS side. */
export const ADDRESS = { host: '10.99.0.1', peer: '10.99.0.2', client: '10.99.0.3', aws: '10.99.0.4' } as const;
export const PORT = 6379;

/** A rule of someone else: it has to be there, unchanged and in its place, after everything. */
export const FOREIGN_RULES = ['-A INPUT -s 192.0.2.9/32 -j DROP', '-A OUTPUT -d 192.0.2.9/32 -j DROP'];

export interface HostAnswer {
  code: number;
  state: string;
  reason?: string;
  revertReason?: string;
  appliedAt?: string;
  liftedAt?: string;
  fence: { outcome: string; raisedAt?: string; loweredAt?: string };
  undo: string[];
  leftovers: string[];
  changes?: string[];
  bootId?: string;
  effect?: { measure: string; value: number; unit: string; observedAt: string };
  effectLostAt?: string;
  notes?: string[];
}

/** Waits for a condition; a test that waits never sleeps for luck. */
export async function until<T>(what: string, seconds: number, check: () => Promise<T | undefined | false>): Promise<T> {
  const end = performance.now() + seconds * 1000;
  for (;;) {
    const startedMs = performance.now();
    const found = await check();
    if (found) return found;
    if (performance.now() > end) throw new Error(`${what}: not within ${seconds} s`);
    // A look that starts processes is not to keep a processor busy that others wait for.
    const pauseMs = Math.min(Math.max(performance.now() - startedMs, 20), 100);
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

/** What the first process of a world runs; its argument is the directory that the world and the test share. */
export const SETUP = `set -e
mount -t tmpfs none /run
mkdir /run/files && mount --bind "$1" /run/files
ip link set lo up
ip netns add far
ip link add near type veth peer name far
ip link set far netns far
ip addr add ${ADDRESS.host}/24 dev near
ip link set near up
ip netns exec far ip link set lo up
for last in 2 3 4; do ip netns exec far ip addr add 10.99.0.$last/24 dev far; done
ip netns exec far ip link set far up
iptables -A INPUT -s 192.0.2.9 -j DROP
iptables -A OUTPUT -d 192.0.2.9 -j DROP
touch /run/files/world-ready
while :; do wait; sleep 1; done`;
