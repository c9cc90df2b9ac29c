import { randomBytes } from 'node:crypto';
import type { Credentials, KeyRing, Principal } from '../protocol/principal.ts';

/** Keys of this run: random, in memory, gone with the process. */
export class CredentialStore implements KeyRing {
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

function key(prefix: string): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  return prefix + Array.from(randomBytes(16), (byte) => alphabet[byte % 32]).join('');
}
