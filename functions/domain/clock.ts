/** Time as an argument, so that the domain can be simulated. */
export interface Clock {
  /** Wall clock, for records and for comparison with other machines. Milliseconds since the epoch. */
  nowEpochMs(): number;
  /** Never steps: for durations and deadlines. Milliseconds since an arbitrary start. */
  monotonicMs(): number;
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}
