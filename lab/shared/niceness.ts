/**
 * Scheduling priorities of the lab's processes: on AWS each has processors of its own, here they share a few.
 *
 * Where the kernel has autogroups (sched(7)) it weighs sessions first, and priorities within a session only. Gateways, functions
 * and the AWS side are one session; each unit of a host has its own, which `niceness` of the unit makes yield as a whole.
 */
export const NICENESS = {
  /** Hosts, traffic, AWS, and functions that have started. */
  serving: -5,
  /** What takes all that it gets for a while: a function that starts, a store of several heavy processes. */
  yielding: 5,
} as const;
