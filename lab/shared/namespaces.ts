/** The command prefix that gives a process the network and the names of a host or service, inside the lab. */
export function inNetworkOf(name: string): string[] {
  return ['ip', 'netns', 'exec', name];
}

/** The command prefix that enters all namespaces of a running process. */
export function inNamespacesOf(pid: number): string[] {
  return ['nsenter', '--target', String(pid), '--net', '--mount', '--pid', '--ipc', '--uts', '--'];
}
