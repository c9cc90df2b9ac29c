import { type ApiClient, type ApiConnection, type Credentials, createApiClient } from './api-client.ts';
import { CommandError, EXIT, message, UsageError } from './exit-codes.ts';
import { connectToLab } from './lab-file.ts';

export interface ConnectionOptions {
  url?: string;
  /** True: the directory was left out. */
  lab?: string | true;
  profile?: string;
  region?: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/;
/** `<id>.execute-api.<region>.amazonaws.com`, with IPv6 `….api.aws`, and the name of an endpoint in a VPC. */
const REGION_IN_HOST = /\.execute-api\.([a-z0-9-]+)\.(?:(?:vpce\.)?amazonaws\.com(?:\.cn)?|api\.aws)$/;

/** @throws UsageError that names what is missing. */
export function connectionFrom(options: ConnectionOptions, environment: Environment): ApiConnection {
  const { lab, profile } = options;
  if (lab !== undefined) {
    const other = (['url', 'profile', 'region'] as const).find((name) => options[name] !== undefined);
    if (other) throw new UsageError(`--${other} stands beside --lab: a lab has its own API and keys`);
    return connectToLab(lab === true ? (environment.LAB_DIRECTORY ?? '.lab') : lab);
  }
  const apiUrl = options.url ?? environment.HOLDFAST_URL;
  if (!apiUrl) {
    throw new UsageError("which API? Give --url (or HOLDFAST_URL), the stack's API with its stage, or --lab");
  }
  const host = hostOf(apiUrl);
  return { apiUrl, region: regionOf(host, options.region, environment), credentials: lazily(profile) };
}

export function createClientFrom(options: ConnectionOptions, environment: Environment): ApiClient {
  return createApiClient(connectionFrom(options, environment));
}

function hostOf(apiUrl: string): string {
  const url = URL.canParse(apiUrl) ? new URL(apiUrl) : undefined;
  const allowed = 'https://HOST[/STAGE], as in https://abc123.execute-api.eu-west-1.amazonaws.com/api';
  if (url?.search !== '' || url.hash !== '' || url.username !== '') {
    throw new UsageError(`--url: ${withoutPassword(apiUrl)} is not the URL of an API; allowed: ${allowed}`);
  }
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && LOOPBACK.test(url.hostname))) {
    throw new UsageError(
      `--url: ${withoutPassword(apiUrl)} is not encrypted; allowed: ${allowed}; http:// to this machine only`,
    );
  }
  return url.hostname;
}

/** What is written before the host's name may be a secret, also in a text that is no URL. */
function withoutPassword(apiUrl: string): string {
  return apiUrl.replace(/^([a-z][a-z0-9+.-]*:)?(\/\/)?.*@/i, '$1$2…@');
}

/** The host's name knows it for certain; a request that is signed for another region is refused by AWS. */
function regionOf(host: string, asked: string | undefined, environment: Environment): string {
  const named = REGION_IN_HOST.exec(host)?.[1];
  if (asked !== undefined && named !== undefined && asked !== named) {
    throw new UsageError(`--region ${asked}: the API is in ${named}, as its host name says`);
  }
  const region = asked ?? named ?? (environment.AWS_REGION || environment.AWS_DEFAULT_REGION);
  if (!region) throw new UsageError(`which region is ${host} in? Give --region (or AWS_REGION)`);
  return region;
}

function lazily(profile: string | undefined): () => Promise<Credentials> {
  let chain: (() => Promise<Credentials>) | undefined;
  return async () => {
    try {
      // Large, and not needed before a request is signed.
      const { credentialChain } = await import('./credential-chain.ts');
      chain ??= credentialChain(profile);
      return await chain();
    } catch (error) {
      const hint = 'give --profile (or AWS_PROFILE), AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or `aws sso login`';
      throw new CommandError(EXIT.notPermitted, `no AWS credentials: ${message(error)}; ${hint}`);
    }
  };
}
