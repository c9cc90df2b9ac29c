/** The command was called wrongly: the lab was not touched, and the exit code is 64. */
export class UsageError extends Error {}
