import { randomBytes, timingSafeEqual } from 'node:crypto';

/** Who makes a call, and the policies that were synthesized for it. */
export interface Principal {
  /** ARN as it stands in `userArn`: a user, or an assumed role with its session. */
  arn: string;
  /** What an identity policy is attached to, and what a resource policy names: the user or the role. */
  identityArn: string;
  name: string;
  policies: readonly IdentityPolicy[];
}

export interface IdentityPolicy {
  name: string;
  document: unknown;
}

export interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  /** Absent for users: long-lived keys have none. */
  sessionToken?: string;
}

/** Keys of this run: random, in memory, gone with the process. */
export class CredentialStore {
  readonly #byAccessKey = new Map<string, { credentials: Credentials; principal: Principal }>();

  mintUser(principal: Principal): Credentials {
    return this.#keep({ accessKeyId: key('AKIA'), secretAccessKey: randomBytes(30).toString('base64') }, principal);
  }

  /** Temporary credentials of an assumed role. */
  mintSession(principal: Principal): Credentials & { sessionToken: string } {
    const credentials = {
      accessKeyId: key('ASIA'),
      secretAccessKey: randomBytes(30).toString('base64'),
      sessionToken: randomBytes(48).toString('base64'),
    };
    this.#keep(credentials, principal);
    return credentials;
  }

  revoke(accessKeyId: string): void {
    this.#byAccessKey.delete(accessKeyId);
  }

  find(accessKeyId: string): { credentials: Credentials; principal: Principal } | undefined {
    return this.#byAccessKey.get(accessKeyId);
  }

  #keep(credentials: Credentials, principal: Principal): Credentials {
    this.#byAccessKey.set(credentials.accessKeyId, { credentials, principal });
    return credentials;
  }
}

/** Compares secrets in constant time. */
export function sameText(left: string, right: string): boolean {
  const [a, b] = [Buffer.from(left), Buffer.from(right)];
  return a.length === b.length && timingSafeEqual(a, b);
}

function key(prefix: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  return prefix + Array.from(randomBytes(16), (byte) => alphabet[byte % 32]).join('');
}
