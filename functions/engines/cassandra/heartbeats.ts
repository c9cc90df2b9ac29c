import type { Heartbeat } from './views.ts';

/**
 * A node counts its heartbeat up each second, and others hear of it within a few. One that stood still for longer is not
 * there, whatever its last word was: that stays NORMAL.
 */
export const STILL_AFTER_MS = 6000;

interface Seen {
  generation: number;
  version: number;
  /** When this value was first seen here. Monotonic. */
  sinceMs: number;
  /** Whether it is known to have been another one before. */
  hasMoved: boolean;
}

/** Whether one node's heartbeat moves, as another sees it; `unknown` until it was looked at twice. */
export type Movement = { state: 'moving' | 'unknown' } | { state: 'still'; forMs: number };

/** What each node has seen of each, from look to look. */
export class HeartbeatMemory {
  readonly #seen = new Map<string, Map<string, Seen>>();

  /** @param atMs when the viewer was asked, monotonic */
  note(viewer: string, heartbeats: readonly Heartbeat[], atMs: number): void {
    const known = this.#seen.get(viewer) ?? new Map<string, Seen>();
    this.#seen.set(viewer, known);
    for (const { hostId, generation, version } of heartbeats) {
      const before = known.get(hostId);
      if (before && before.generation === generation && before.version === version) continue;
      // One that began anew, lower or not, is another one.
      known.set(hostId, { generation, version, sinceMs: atMs, hasMoved: before !== undefined });
    }
    // Who left the ring is nobody's to wait for.
    for (const hostId of known.keys()) if (!heartbeats.some((each) => each.hostId === hostId)) known.delete(hostId);
  }

  movementOf(viewer: string, hostId: string, nowMs: number): Movement {
    const seen = this.#seen.get(viewer)?.get(hostId);
    if (!seen) return { state: 'unknown' };
    const forMs = nowMs - seen.sinceMs;
    if (forMs >= STILL_AFTER_MS) return { state: 'still', forMs };
    return { state: seen.hasMoved ? 'moving' : 'unknown' };
  }
}
