import { existsSync, writeFileSync } from 'node:fs';

/**
 * Scheduling priorities of the lab's processes: on AWS each has processors of its own, here they share a few.
 *
 * Where the kernel has autogroups (sched(7)) it compares sessions first, and priorities only inside a session. Gateways, traffic
 * and the AWS side are one session; each function and each unit of a host has its own, to which the unit's `niceness` applies.
 */
export const NICENESS = {
  /** Hosts, traffic, AWS, and functions that have started. */
  serving: -5,
  /** What takes all that it gets for a while: a function that starts, a store of several heavy processes. */
  yielding: 5,
} as const;

/** The whole session of a process, among all sessions. Without autogroups there is nothing to weigh. */
export function prioritizeSession(niceness: number, pid: number | 'self' = 'self'): void {
  const file = `/proc/${pid}/autogroup`;
  if (!existsSync(file)) return;
  try {
    writeFileSync(file, String(niceness));
  } catch (error) {
    if (!isUnaffected(error as NodeJS.ErrnoException)) throw error;
  }
}

/** It has ended meanwhile, or root may not do it here: then it has the priority that it has. */
export function isUnaffected({ code = '' }: { code?: string | undefined }): boolean {
  return ['ENOENT', 'ESRCH', 'EPERM', 'EACCES', 'EAGAIN', 'EINVAL', 'EROFS'].includes(code);
}
