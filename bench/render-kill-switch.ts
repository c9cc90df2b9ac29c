import { summarize } from '../cli/statistics/distribution.ts';
import { type Provenance, provenanceText } from './provenance.ts';
import { KILL_SWITCH } from './sections.ts';

export interface KillSwitchResult extends Provenance {
  hosts: number;
  /** Of each run, seconds from the request to the lifted fault, one a host. */
  measured: readonly (readonly number[])[];
}

export function renderKillSwitch({ hosts, measured, ...provenance }: KillSwitchResult): string {
  return [
    KILL_SWITCH.heading,
    '',
    `The last run of \`${KILL_SWITCH.command}\`: a partition on each of ${hosts} hosts at once, then \`POST …/kill-switch\`, from the request until a`,
    'connection from another host goes through again (looked for every 50 ms). The function was warm; a cold start comes on top.',
    provenanceText(provenance),
    '',
    '| request → lifted | n | min | p50 | p90 | p99 | max | promised |',
    '|---|---|---|---|---|---|---|---|',
    row(
      `the last of ${hosts} hosts, s`,
      measured.map((run) => Math.max(...run)),
      'p99 ≤ 1',
    ),
    row('each host, s', measured.flat(), ''),
    '',
  ].join('\n');
}

function row(name: string, values: readonly number[], promised: string): string {
  const { n, min, p50, p90, max } = summarize(values);
  const p99 = values.toSorted((a, b) => a - b)[Math.ceil(0.99 * n) - 1] ?? Number.NaN;
  return `| ${[name, n, ...[min, p50, p90, p99, max].map((value) => value.toFixed(2)), promised].join(' | ')} |`;
}
