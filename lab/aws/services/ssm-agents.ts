import type { CredentialStore } from '../iam/principals.ts';
import { AwsError } from '../protocol/aws-error.ts';
import type { UnsignedRoute } from '../protocol/front.ts';
import type { WireRequest } from '../protocol/http.ts';
import { isObject, type Json, type JsonObject } from '../protocol/json.ts';
import type { Principal } from '../protocol/principal.ts';
import { objectList, requiredString, stringList } from '../protocol/service.ts';
import { sameText } from '../protocol/signature.ts';
import type { CommandBook, CommandReport, CommandStatus } from './ssm-commands.ts';

const AGENT_PATH = '/_lab/agent/';
/** Systems Manager calls an agent lost after about five minutes of silence. */
const CONNECTION_LOST_MS = 300_000;
const POLL_MS = 20_000;
const CREDENTIALS_LIVE_MS = 3_600_000;
const REPORTED: readonly CommandStatus[] = ['InProgress', 'Success', 'Failed', 'TimedOut', 'Cancelled'];

/** The private path between a host's agent and the service, in AWS the ssmmessages endpoint and the metadata service. */
export class AgentChannel implements UnsignedRoute {
  readonly prefix = AGENT_PATH;
  readonly service = 'ssmmessages';
  readonly #tokens: ReadonlyMap<string, string>;
  readonly #credentials: CredentialStore;
  readonly #principalOf: (instanceId: string) => Principal;
  readonly #seen = new Map<string, { lastSeenMs: number; version: string }>();
  /** Set once the service exists: each of the two refers to the other. */
  book: CommandBook | undefined;

  constructor(
    tokens: ReadonlyMap<string, string>,
    credentials: CredentialStore,
    principalOf: (instanceId: string) => Principal,
  ) {
    this.#tokens = tokens;
    this.#credentials = credentials;
    this.#principalOf = principalOf;
  }

  registered(instanceId: string): { lastSeenMs: number; version: string; online: boolean } | undefined {
    const seen = this.#seen.get(instanceId);
    return seen === undefined ? undefined : { ...seen, online: Date.now() - seen.lastSeenMs < CONNECTION_LOST_MS };
  }

  /** @throws AwsError 403 for a wrong token, 404 for an unknown path. */
  async handle({ url, headers, body }: WireRequest, signal: AbortSignal): Promise<object> {
    const instanceId = headers['x-instance-id'] ?? '';
    const expected = this.#tokens.get(instanceId);
    if (expected === undefined || !sameText(headers.authorization ?? '', `Bearer ${expected}`)) {
      throw new AwsError('AccessDeniedException', 'agent token does not match', 403);
    }
    const parsed: Json = JSON.parse(body.toString() || '{}');
    const input: JsonObject = isObject(parsed) ? parsed : {};
    const action = url.slice(AGENT_PATH.length);
    if (action === 'poll') return this.#poll(instanceId, input, signal);
    if (action === 'report') return this.#report(instanceId, input);
    if (action === 'credentials') return this.#mint(instanceId);
    throw new AwsError('NotFound', `no agent call ${action}`, 404);
  }

  async #poll(instanceId: string, input: JsonObject, signal: AbortSignal): Promise<object> {
    const version = requiredString(input, 'version');
    this.#seen.set(instanceId, { lastSeenMs: Date.now(), version });
    const undelivered = await this.book?.poll(
      instanceId,
      { known: stringList(input, 'known'), cancelled: stringList(input, 'cancelled') },
      POLL_MS,
      signal,
    );
    this.#seen.set(instanceId, { lastSeenMs: Date.now(), version });
    const commands = (undelivered?.commands ?? []).map(({ commandId, work }) => ({ commandId, ...work }));
    return { commands, cancels: undelivered?.cancels ?? [] };
  }

  #report(instanceId: string, input: JsonObject): object {
    for (const report of objectList(input.reports)) {
      const status = REPORTED.find((known) => known === report.status);
      if (status === undefined) throw new AwsError('ValidationException', `status: one of ${REPORTED.join(', ')}`);
      const parsed: CommandReport = {
        commandId: requiredString(report, 'commandId'),
        status,
        statusDetails: requiredString(report, 'statusDetails'),
        responseCode: Number(report.responseCode ?? -1),
        stdout: String(report.stdout ?? ''),
        stderr: String(report.stderr ?? ''),
      };
      this.book?.report(instanceId, parsed);
    }
    return {};
  }

  /** What instance metadata hands out: temporary credentials of the instance's role. */
  #mint(instanceId: string): object {
    const principal = this.#principalOf(instanceId);
    const session = this.#credentials.mintSession(principal);
    return {
      Role: principal.name,
      Code: 'Success',
      LastUpdated: new Date().toISOString(),
      Type: 'AWS-HMAC',
      AccessKeyId: session.accessKeyId,
      SecretAccessKey: session.secretAccessKey,
      Token: session.sessionToken,
      Expiration: new Date(Date.now() + CREDENTIALS_LIVE_MS).toISOString().replace(/\.\d+Z$/, 'Z'),
    };
  }
}
