export interface AcknowledgedWrite {
  value: string;
  /** Monotonic, milliseconds. */
  atMs: number;
}

/** What became of the writes that the store had acknowledged. */
export interface LossReport {
  acknowledged: number;
  present: number;
  /** Keys whose acknowledged value is not there: data loss. */
  lost: string[];
  /** From the first of their acknowledgements to the last; absent when none is lost. */
  lossSpanSeconds?: number;
}

/**
 * Compares what was acknowledged with what the store has now. Each key is written once, so that anything but its
 * own value is a loss.
 *
 * @param found value of each key that was read; null when the store does not have it
 * @throws Error when a key was not read: an unread key is neither present nor lost.
 */
export function checkLoss(
  acknowledged: ReadonlyMap<string, AcknowledgedWrite>,
  found: ReadonlyMap<string, string | null>,
): LossReport {
  const lost = [...acknowledged].filter(([key, { value }]) => {
    const present = found.get(key);
    if (present === undefined) throw new Error(`key ${key}: was not read back`);
    return present !== value;
  });
  const times = lost.map(([, { atMs }]) => atMs);
  return {
    ...{ acknowledged: acknowledged.size, present: acknowledged.size - lost.length, lost: lost.map(([key]) => key) },
    ...(lost.length > 0 ? { lossSpanSeconds: Math.round(Math.max(...times) - Math.min(...times)) / 1000 } : {}),
  };
}
