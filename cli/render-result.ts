import {
  type DryRunDocument,
  type ExperimentDocument,
  isRolledBack,
  type NodeRollbackShown,
  type PlannedAct,
  type ProblemDocument,
  type ShownCheckResult,
} from './api-documents.ts';
import { type Paint, printable, round } from './render.ts';
import { renderTolerance } from './render-status.ts';
import { renderValueExamples, renderValues } from './render-values.ts';
import { shownRoles } from './target-node.ts';

type ShownFinding = NonNullable<ExperimentDocument['findings']>[number];
type ShownProbe = NonNullable<ExperimentDocument['probes']>[number];

/** Of each; the document has more. */
const EXAMPLES_SHOWN = 3;

/** What would be touched, how much of the cluster that is, and how bad it can get. */
export function renderDryRun(document: DryRunDocument, paint: Paint): string[] {
  const { faults } = document.experiment;
  return [
    paint('bold', 'Would touch'),
    ...document.facts.targets.flatMap((target) => {
      const own = faults.filter(({ faultId }) => faultId === target.faultId);
      return target.impacted.map(({ name, instanceId }) => {
        const details = [instanceId, shownRoles(name, [target], own)].filter(Boolean).join(', ');
        return `  ${printable(own[0]?.kind ?? 'a fault')} on ${printable(name)} (${printable(details)})`;
      });
    }),
    ...(document.wouldRun ?? []).map(plannedLine),
    ...(document.facts.irreversible ?? []).map(
      ({ kind, text }) => `  ${paint('bad', 'cannot be undone')}: ${printable(kind)}: ${printable(text)}`,
    ),
    ...renderNeed(document),
    ...document.facts.clusters.flatMap((facts) => [
      `  blast radius in ${printable(facts.cluster)}: ${facts.impactedNodes} of ${facts.liveNodes} nodes ` +
        `(${round(facts.impactedNodesPct)} %, limit ${round(facts.maxNodesPct)} %), ${round(facts.trafficSharePct)} % ` +
        `of the traffic (limit ${round(facts.maxTrafficSharePct)} %)`,
      `  at worst: lifted ${round(facts.worstCase.abortSeconds)} s after a breach, ` +
        `${round(facts.worstCase.leaseLossSeconds)} s after the control plane is lost; ` +
        `its host begins to lift it ${round(facts.worstCase.ttlSeconds)} s after it began whatever happens`,
      ...(facts.toleratedLoss == null
        ? []
        : [`  ${paint('bad', 'will not survive it')}, as its configuration allows: ${printable(facts.toleratedLoss)}`]),
      ...(facts.warnings ?? []).map((warning) => `  ${paint('bad', 'warning')}: ${printable(warning)}`),
      ...(facts.scalingGroups ?? []).map(({ name, suspendedProcesses }) =>
        faults.some(({ kind, cluster }) => kind === 'INSTANCE_TERMINATE' && cluster === facts.cluster)
          ? `  the Auto Scaling group ${printable(name)} replaces what is terminated; suspended: ${printable(suspendedProcesses.join(', ') || 'nothing')}`
          : `  the Auto Scaling group ${printable(name)} does not replace a target; suspended: ${printable(suspendedProcesses.join(', ') || 'nothing')}`,
      ),
      ...(facts.worstCase.service
        ? [
            `  in FIS, which reads no lease: stopped ${round(facts.worstCase.service.withoutGuardSeconds)} s after the guard is lost`,
          ]
        : []),
      ...(facts.worstCase.rules
        ? [
            `  alerting rules of AMP, beside the guard: see a breach up to ${round(facts.worstCase.rules.seconds)} s later`,
          ]
        : []),
    ]),
  ];
}

/** Who has to agree first, and who is told. */
function renderNeed({ facts: { approval, leadSeconds, closing } }: DryRunDocument): string[] {
  const lines: string[] = [];
  if (approval != null) {
    const within = approval.expiresMinutes == null ? '' : ` within ${approval.expiresMinutes} minutes`;
    lines.push(`  starts when another person than ${printable(approval.mayNotApprove)} approves it${within}`);
  }
  if (leadSeconds != null) lines.push(`  is announced ${round(leadSeconds)} s before anything is done`);
  if (closing != null)
    lines.push(`  no fault may live beyond ${printable(closing.at)}: ${printable(closing.what)} ends`);
  return lines;
}

/** What would be sent, when it is not at once, and what takes it back. */
function plannedLine(act: PlannedAct): string {
  const when = act.startSeconds ? `, ${act.startSeconds} s after the first` : '';
  if ('document' in act) {
    const { node, document: name, undo } = act;
    return `  on ${printable(node)}: ${printable(name)}${when}; undo: ${undo.map(printable).join('; ')}`;
  }
  const { nodes, action } = act;
  const bound = action.boundSeconds ? `, at most ${action.boundSeconds} s` : '';
  return (
    `  on ${nodes.map(({ node }) => printable(node)).join(', ')}: FIS ${printable(action.actionId)}${bound}${when}; ` +
    `undo: ${action.undo.map(printable).join('; ')}`
  );
}

/** Why the API said no, or failed: its type, what is wrong with which field, what is allowed, and the numbers behind it. */
export function renderProblem(
  problem: ProblemDocument,
  verdict: string,
  paint: Paint,
  where: (field: string) => string = () => '',
): string[] {
  const { type, title, status, detail, errors, ...numbers } = problem;
  return [
    paint('bad', `${verdict} (${status}): ${printable(title)}`),
    `  type: ${printable(type)}`,
    ...(detail ? [`  ${printable(detail)}`] : []),
    ...(errors ?? []).map(
      ({ field, message, allowed }) =>
        `  ${printable(where(field))}${printable(field)}: ${printable(message)}${allowed == null ? '' : ` (allowed: ${printable(text(allowed))})`}`,
    ),
    ...Object.entries(numbers).map(([name, value]) => `  ${printable(name)}: ${printable(text(value))}`),
  ];
}

/** How it ended: verdict, budgets, nodes, audit record. */
export function renderVerdict(document: ExperimentDocument, paint: Paint): string[] {
  const succeeded = document.status === 'COMPLETED' && document.outcome === 'CONFIRMED';
  const headline = `${document.status}, outcome ${document.outcome ?? 'unknown'}`;
  const several = new Set((document.budgets ?? []).map(({ cluster }) => cluster)).size > 1;
  return [
    paint(succeeded ? 'good' : 'bad', headline) + (document.reason ? `: ${printable(document.reason)}` : ''),
    ...(document.budgets ?? []).map((budget) => {
      const measured = budget.measured == null ? 'not measured' : `measured ${round(budget.measured)}`;
      const verdict = budget.met ? paint('good', 'met') : paint('bad', 'NOT met');
      const where = several ? ` of ${printable(budget.cluster)}` : '';
      return `  budget ${printable(budget.name)}${where}: ${measured}, limit ${round(budget.limit)}: ${verdict}`;
    }),
    ...(document.checks ?? []).map((check) => renderCheck(check, paint)),
    ...(document.findings ?? []).map((finding) => renderFinding(finding, paint)),
    ...(document.probes ?? []).flatMap(renderProbe),
    ...(document.nodes ?? []).map((node) =>
      isRolledBack(node)
        ? renderNode(node, nodeText(node.node, document), paint)
        : `  ${nodeText(node.podName, document)}: ${printable(node.faultState)}`,
    ),
    ...renderServices(document, paint),
    ...renderNotes(document),
    ...(document.record ?? []).flatMap((row) => [
      '  audit record',
      ...Object.entries(row).map(([column, value]) => `    ${printable(column).padEnd(22)} ${printable(text(value))}`),
    ]),
  ];
}

/** A known way to fail: its number, and what to set. */
function renderFinding({ cluster, failureMode, measure, value, unit, setting }: ShownFinding, paint: Paint): string {
  const shown = `${printable(measure)} ${round(value)} ${printable(unit)}`;
  return `  ${paint('bad', `finding: ${printable(failureMode)}`)} in ${printable(cluster)}, shown by ${shown}; set: ${printable(setting)}`;
}

/** A check of the hypothesis: what was measured, what is allowed, and for how long it failed. */
function renderCheck(check: ShownCheckResult, paint: Paint): string {
  const { name, measure, unit, result, measured, failedSeconds, firstFailedAt, lastFailedAt } = check;
  const { unknownSeconds, arrivedAt, reason } = check;
  const value = measured == null ? 'not measured' : `measured ${round(measured)} ${printable(unit)}`;
  const verdict = result === 'HELD' ? paint('good', 'held') : paint('bad', result === 'FAILED' ? 'FAILED' : 'UNKNOWN');
  const details = [
    ...(failedSeconds ? [`for ${round(failedSeconds)} s`] : []),
    ...(firstFailedAt ? [`from ${firstFailedAt}${lastFailedAt ? ` to ${lastFailedAt}` : ''}`] : []),
    ...(unknownSeconds ? [`unknown for ${round(unknownSeconds)} s`] : []),
    ...(arrivedAt ? [`arrived ${arrivedAt}`] : []),
    ...(reason ? [reason] : []),
  ].map((detail) => `, ${printable(detail)}`);
  const what = measure && measure !== name ? ` (${printable(measure)})` : '';
  return `  check ${printable(name)}${what}: ${value}, ${renderTolerance(check)}: ${verdict}${details.join('')}`;
}

/** What a client of one shard saw, and for how long somebody looked: the verdict says whether that counts. */
function renderProbe(seen: ShownProbe): string[] {
  const { rtoSeconds, unavailableSeconds, lostAcknowledgedWrites, observedFrom, observedUntil } = seen;
  const outage = seen.stillFailing
    ? 'still failing at the end'
    : `RTO ${round(rtoSeconds ?? 0)} s, unavailable for ${round(unavailableSeconds ?? 0)} s in all`;
  const span = (seen.records ?? seen.values ?? seen).lossSpanSeconds;
  const lost =
    `${lostAcknowledgedWrites ?? 'unknown how many'} of ${seen.acknowledgedWrites} acknowledged writes lost` +
    (span == null ? '' : `, acknowledged within ${round(span)} s`);
  const looked =
    observedFrom == null || observedUntil == null
      ? 'never observed'
      : `observed from ${printable(observedFrom)} to ${printable(observedUntil)}, largest gap ${round(seen.largestGapSeconds)} s`;
  return [
    `  ${printable(seen.shard)} of ${printable(seen.cluster)}: ${outage}, ${lost}${renderRecords(seen)}${renderValues(seen.values)}; ${looked}`,
    ...renderExamples(seen),
    ...renderValueExamples(seen.values, EXAMPLES_SHOWN),
    ...(seen.phases ?? []).map(
      ({ phase, secondsAfterFault, event, uncertaintyMs }) =>
        `    ${printable(phase)} ${round(secondsAfterFault)} s after the fault, or up to ${round(uncertaintyMs)} ms earlier (${printable(event)})`,
    ),
  ];
}

/** What a log does to a record beside losing it; of other stores nothing. */
function renderRecords({ records }: ShownProbe): string {
  if (records == null) return '';
  const repeated = records.repeatedOffsets
    ? `, ${records.repeatedOffsets} with a repeated offset (the fault of the client library)`
    : '';
  return `, ${records.duplicated} duplicated, ${records.reordered} reordered${repeated}`;
}

function renderExamples({ records }: ShownProbe): string[] {
  return Object.entries(records?.examples ?? {}).flatMap(([what, examples]) =>
    examples
      .slice(0, EXAMPLES_SHOWN)
      .map(
        ({ key, offset, acknowledgedAt }) =>
          `    ${printable(what)}: ${printable(key)} at offset ${offset}, acknowledged ${printable(acknowledgedAt)}`,
      ),
  );
}

/** The node with its roles, where they are known. */
function nodeText(name: string, { targets, experiment }: ExperimentDocument): string {
  const roles = shownRoles(name, targets ?? [], experiment?.faults ?? []);
  return printable(roles ? `${name} (${roles})` : name);
}

/** Nodes of faults in AWS FIS once those are over: no host answers for them. */
function renderServices(document: ExperimentDocument, paint: Paint): string[] {
  return (document.services ?? []).flatMap(({ faultId, state, outcome: end, detail }) => {
    if (end == null) return [];
    const target = document.targets?.find((one) => one.faultId === faultId);
    const said = end === 'REVERTED' ? end : paint('bad', printable(end));
    const words = `${said} by AWS FIS${state ? ` (${printable(state)})` : ''}${detail ? `: ${printable(detail)}` : ''}`;
    return (target?.impacted ?? []).map(({ name }) => `  ${nodeText(name, document)}: ${words}`);
  });
}

function renderNode(node: NodeRollbackShown, shown: string, paint: Paint): string {
  const why = node.revertReason ? ` (${printable(node.revertReason)})` : '';
  const seen = node.effect ? `, ${renderEffect(node.effect)}` : '';
  const lost = node.effectLostAt ? `, ${paint('bad', `effect gone at ${printable(node.effectLostAt)}`)}` : '';
  const lifted = node.liftedAt ? `, lifted ${printable(node.liftedAt)}` : '';
  const clean =
    node.leftovers.length > 0
      ? paint('bad', `LEFT BEHIND: ${node.leftovers.map(printable).join('; ')}`)
      : node.outcome === 'FAILED'
        ? paint('bad', 'NOT verified')
        : node.outcome === 'NOTHING_TO_REVERT'
          ? 'the host knew of no fault'
          : paint('good', 'verified clean');
  const detail = node.detail ? `, ${printable(node.detail)}` : '';
  const happened = `${node.outcome}${why}${seen}${lost}${lifted}${renderFence(node)}`;
  return `  ${shown}: ${happened}, ${clean}${detail}`;
}

function renderEffect({ measure, value, unit }: NonNullable<NodeRollbackShown['effect']>): string {
  return `${printable(measure)}: ${round(value)} ${printable(unit)}`;
}

function renderFence({ fence }: NodeRollbackShown): string {
  if (fence == null || fence.outcome === 'NONE') return '';
  if (fence.outcome === 'NOT_NEEDED') return ', clients not kept away: its role was never in doubt';
  return `, fence ${printable(fence.outcome)}`;
}

/** A host says the same when it injects and when it rolls back; a person needs it once. */
function renderNotes({ answers, nodes }: ExperimentDocument): string[] {
  const said = [...(answers ?? []), ...(nodes ?? []).filter(isRolledBack)];
  const lines = said.flatMap(({ node, notes }) =>
    (notes ?? []).map((note) => `  note of ${printable(node)}: ${printable(note)}`),
  );
  return [...new Set(lines)];
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? 'none');
}
