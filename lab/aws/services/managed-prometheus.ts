import { AwsError, unknownOperation } from '../protocol/aws-error.ts';
import { jsonError } from '../protocol/error-answer.ts';
import type { Endpoint } from '../protocol/service.ts';

/** Routes of a workspace, as Prometheus has them, and the permission that each needs. */
const ACTIONS: Record<string, string> = {
  query: 'aps:QueryMetrics',
  query_range: 'aps:QueryMetrics',
  rules: 'aps:ListRules',
};
const ROUTE = /^\/workspaces\/([^/]+)\/api\/v1\/([a-z_]+)(\?.*)?$/;

/**
 * Amazon Managed Service for Prometheus, the side that answers queries: what is signed and allowed goes on to a real
 * Prometheus. No model of AWS describes it, for it speaks Prometheus's own protocol.
 * @param workspaces id → base URL of the Prometheus that stands for it
 */
export function managedPrometheus(
  { accountId, region }: { accountId: string; region: string },
  workspaces: ReadonlyMap<string, string>,
): Endpoint {
  return {
    signingName: 'aps',
    read({ method, url }) {
      const [, id = '', route = '', query = ''] = ROUTE.exec(url) ?? [];
      const action = Object.hasOwn(ACTIONS, route) ? ACTIONS[route] : undefined;
      if (method !== 'GET' || action === undefined) throw unknownOperation('aps', `${method} ${url}`);
      return {
        name: action.replace('aps:', ''),
        demands: () => [{ action, resource: `arn:aws:aps:${region}:${accountId}:workspace/${id}` }],
        async run({ signal }) {
          const base = workspaces.get(id);
          if (base === undefined) throw new AwsError('ResourceNotFoundException', `Workspace not found: ${id}`, 404);
          const answer = await fetch(`${base}/api/v1/${route}${query}`, { signal });
          const contentType = answer.headers.get('content-type') ?? 'application/json';
          return { status: answer.status, headers: { 'content-type': contentType }, body: await answer.text() };
        },
      };
    },
    renderError: (error) => jsonError(error, 403),
  };
}
