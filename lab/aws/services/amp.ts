import { parse, stringify } from 'yaml';
import { servicePrincipal } from '../iam/roles.ts';
import type { Credentials, Principal } from '../protocol/principal.ts';
import type { Template } from '../template/template.ts';

/** What of the template a Prometheus and an Alertmanager are run with. */
export interface Amp {
  /** A rules file. */
  rules: string;
  /** An Alertmanager's configuration. */
  alertmanager: string;
  /** That Alertmanager signs as the service does. */
  credentials: Credentials;
}

/**
 * Amazon Managed Service for Prometheus: the rule groups and the alert manager definition of the one workspace, for the lab's own
 * Prometheus and Alertmanager.
 * @returns undefined for a template without a workspace.
 * @throws Error for what the service would refuse.
 */
export function readAmp(template: Template, mint: (principal: Principal) => Credentials): Amp | undefined {
  const [workspace, ...others] = template.ofType('AWS::APS::Workspace');
  if (workspace === undefined) return undefined;
  if (others.length > 0) throw new Error('the lab knows one workspace');
  const groups = template.ofType('AWS::APS::RuleGroupsNamespace').flatMap(({ logicalId, properties }) => {
    if (properties.Workspace !== workspace.arn) throw new Error(`${logicalId}: Workspace is not ${workspace.arn}`);
    return groupsOf(logicalId, String(properties.Data));
  });
  const { alertmanager_config: alertmanager } = parse(String(workspace.properties.AlertManagerDefinition)) ?? {};
  if (typeof alertmanager !== 'string') throw new Error(`${workspace.logicalId}: alertmanager_config is not a text`);
  refuseForbidden(alertmanager);
  const context = { 'aws:SourceArn': workspace.arn ?? '', 'aws:SourceAccount': template.place.accountId };
  return {
    rules: stringify({ groups }),
    alertmanager,
    credentials: mint({ ...servicePrincipal('aps.amazonaws.com'), context }),
  };
}

const SHORTEST_INTERVAL_SECONDS = 30;
const MAX_RULES_IN_GROUP = 20;

function groupsOf(logicalId: string, data: string): { name: string; interval?: string; rules: unknown[] }[] {
  const { groups } = parse(data);
  for (const { name, interval, rules } of groups) {
    // Without one it is 60 s.
    const seconds = interval === undefined ? 60 : Number(/^(\d+)s$/.exec(interval)?.[1] ?? Number.NaN);
    if (!(seconds >= SHORTEST_INTERVAL_SECONDS))
      throw new Error(`${logicalId}: ${name}: interval ${interval} is not 30s or more`);
    if (rules.length > MAX_RULES_IN_GROUP) throw new Error(`${logicalId}: ${name} has ${rules.length} rules of 20`);
  }
  return groups;
}

/** The service sets these itself, and needs the Region. */
function refuseForbidden(alertmanager: string): void {
  const { receivers } = parse(alertmanager);
  for (const { name, ...configurations } of receivers) {
    for (const [kind, list] of Object.entries(configurations)) {
      if (kind !== 'sns_configs') throw new Error(`receiver ${name}: ${kind}: only sns_configs are supported`);
      for (const each of list as Record<string, { region?: unknown }>[]) {
        const forbidden = ['api_url', 'http_config'].find((field) => field in each);
        if (forbidden !== undefined) throw new Error(`receiver ${name}: ${forbidden} is not allowed`);
        if (typeof each.sigv4?.region !== 'string') throw new Error(`receiver ${name}: sigv4.region is missing`);
      }
    }
  }
}
