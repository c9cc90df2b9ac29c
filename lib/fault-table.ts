import * as z from 'zod';
import { type Cluster, clusterFields } from '../functions/domain/configuration.ts';
import {
  FAULT_KINDS,
  type FaultKind,
  type FaultParameters,
  fisKindOf,
  hostKindOf,
  isFisFaultKind,
  kindOf,
  scriptName,
} from '../functions/domain/faults/catalogue.ts';
import { FENCE_UNDO } from '../functions/domain/faults/kind.ts';
import { parseExperiment } from '../functions/domain/parse-experiment.ts';
import { MINORITY, REST, SELECTOR_WORDS } from '../functions/domain/selectors.ts';
import type { ResolvedFault, TargetNode } from '../functions/domain/targets.ts';

/** `docs/faults.md`, made from the kinds themselves so that it cannot go stale. */

const DURATION_SECONDS = 60;

/** @throws Error when the example of a kind is not a payload that is accepted. */
export function faultTable(): string {
  return [
    '# Fault kinds',
    '',
    'Made by `npm run generate` from `functions/domain/faults/`; edit those. A request has `targetService`, `action` and',
    '`parameters` for one fault, or `faults`, a list of them with `name`, `after` and `offsetSeconds`, for several',
    '([contracts](contracts.md), *Several faults*). Two faults on one node may not share a resource.',
    '',
    '| kind | what it does | applied by | resource | what no rollback undoes |',
    '|---|---|---|---|---|',
    ...FAULT_KINDS.map(row),
    '',
    '## Which nodes',
    '',
    'In a list of nodes each stands by its name or by its role: `"node-3"`, or `{ "role": "follower", "of": "shard-1" }`.',
    '',
    '| field of a role | may hold |',
    '|---|---|',
    ...Object.entries(SELECTOR_WORDS).map(([field, words]) => `| \`${field}\` | ${words} |`),
    '',
    "Roles are the engine's own words. Admission makes names of them, each time the same of the same state: of several nodes that",
    'would do, the first by name. A role that is not certain, or two roles that are one node where two are needed, is a refusal.',
    `A \`${MINORITY}\` is as many members as can be lost while a majority stays, those first that do not lead. \`${REST}\` is every`,
    'live node that nothing else in the fault stands for. What was admitted has names, and beside them (`chosenBy`) what they',
    'were chosen by.',
    '',
    'Before the injection the choice is made again: where it would be another node by now, nothing is injected. So it is before each',
    'later batch, and the run ends, but for a node that lost its role while a fault of this experiment was on it: that one is hit as',
    'admitted, since roles are those before the first fault.',
    '',
    '## How a fault ends',
    '',
    '- **By the host**: the watchdog on the host reverts the fault at its TTL; when its lease is released, or has not been',
    '  renewed in time; when the kill switch is engaged; and when one of the two processes of the watchdog dies. It needs nobody',
    '  for that, and nothing of a fault survives a reboot. The rollback then proves it.',
    "- **By AWS FIS**: the rollback, one of the alarms, or the alarm on the guard's heartbeat stops the FIS experiment. If",
    '  nobody does, the service ends it by itself; the dry run says after how long.',
    '',
    ...FAULT_KINDS.flatMap(section),
  ].join('\n');
}

function row(name: FaultKind): string {
  const { description, runsOn, resource, irreversible } = kindOf(name);
  const cells = [`[${name}](#${name.toLowerCase()})`, description, APPLIED_BY[runsOn], resource, irreversible ?? '–'];
  return `| ${cells.join(' | ')} |`;
}

const APPLIED_BY = { host: 'the host', fis: 'AWS FIS' };

function section(name: FaultKind): string[] {
  const { description, fields, allowed, irreversible, schema } = kindOf(name);
  const { required = [] } = z.toJSONSchema(schema, { io: 'input' });
  const { payload, parameters } = exampleOf(name);
  const { undo, bound } = undoOf(name, parameters);
  return [
    `## ${name}`,
    '',
    description,
    '',
    '| parameter | needed | may hold |',
    '|---|---|---|',
    ...Object.keys(fields).map(
      (field) => `| \`${field}\` | ${required.includes(field) ? 'yes' : 'no'} | ${allowed[field]} |`,
    ),
    '',
    '```json',
    payload,
    '```',
    '',
    `Rollback: ${undo.join('; ')}.${bound === undefined ? '' : ` Without it, the service ends this example after ${bound} s.`}`,
    ...(irreversible ? ['', `Not undone: ${irreversible}.`] : []),
    '',
  ];
}

function exampleOf(name: FaultKind): { payload: string; parameters: FaultParameters } {
  const body = {
    experimentId: `exp_${name.toLowerCase()}`,
    targetService: 'my-cluster',
    action: name,
    parameters: kindOf(name).example,
    durationSeconds: DURATION_SECONDS,
    safetyThreshold: { maxAlertSeverity: 'WARNING', automaticRollbackOnAlert: true },
  };
  const parsed = parseExperiment(JSON.stringify(body), {});
  const [fault] = parsed.ok ? parsed.experiment.faults : [];
  if (!fault?.impactedNodes)
    throw new Error(`${scriptName(name)}: the example is not valid: ${JSON.stringify(parsed)}`);
  // Lists on one line, as in examples/.
  const payload = JSON.stringify(body, null, 2).replace(
    /\[\s+([^\]]*?)\s+\]/g,
    (_, items: string) => `[${items.replace(/\s+/g, ' ')}]`,
  );
  return { payload, parameters: fault.parameters };
}

/** As the dry run would say it for the example. */
function undoOf(name: FaultKind, parameters: FaultParameters): { undo: string[]; bound?: number | undefined } {
  if (isFisFaultKind(name)) {
    const { undo, boundSeconds } = fisKindOf(name).action(parameters, EXAMPLE_TARGETS, DURATION_SECONDS);
    return { undo, bound: boundSeconds };
  }
  const { command, fence } = hostKindOf(name);
  const { undo } = command(parameters, EXAMPLE_TARGETS, EXAMPLE_CLUSTER);
  return { undo: fence ? [...undo, `${FENCE_UNDO} (engines that have a fence)`] : undo };
}

const [NODE_1, NODE_2, NODE_3] = [1, 2, 3].map(
  (number): TargetNode => ({
    name: `node-${number}`,
    instanceId: `i-${number}`,
    addresses: [`10.0.0.${number}`],
    port: 4000,
    roles: [{ shard: 'shard-1', role: number === 3 ? 'leader' : 'follower' }],
    availabilityZone: 'eu-west-1a',
    subnetId: 'subnet-1',
    dataVolumeIds: [`vol-${number}`],
  }),
) as [TargetNode, TargetNode, TargetNode];
const EXAMPLE_TARGETS: ResolvedFault = {
  faultId: 'exp.1',
  impacted: [NODE_3],
  peers: [NODE_1, NODE_2],
  shardMembers: [NODE_1, NODE_2, NODE_3],
};

/** Of no engine in particular. */
const EXAMPLE_CLUSTER: Cluster = z.object({ engine: z.string(), ...clusterFields }).parse({
  engine: 'any',
  tier: 'staging',
  selectTags: { service: 'store' },
  unit: 'store',
  port: 4000,
  dataDirectory: '/var/lib/store',
  telemetry: { prometheusUrl: 'http://prometheus.example' },
});
