/** The same ports, with something in front of each call of a function: `leases.create`, `admit`, … The clock is left alone. */
export function eachCall<T extends object>(ports: T, before: (name: string) => Promise<void>, prefix = ''): T {
  const wrapped = Object.entries(ports).map(([key, port]) => {
    const name = `${prefix}${key}`;
    if (typeof port === 'function') {
      return [
        key,
        async (...given: unknown[]) => {
          await before(name);
          return port(...given);
        },
      ];
    }
    return [key, ['clock', 'clusters', 'announce'].includes(key) ? port : eachCall(port, before, `${name}.`)];
  });
  return Object.fromEntries(wrapped);
}
