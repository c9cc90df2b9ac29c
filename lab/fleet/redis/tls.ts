import { type ConnectionOptions, checkServerIdentity } from 'node:tls';
import type { LabHost, StoreKeys } from '../engine.ts';
import { CLIENT } from '../store-keys.ts';
import { announcedAs, TLS_HOSTS } from './hosts.ts';

/** What a client of one such host shows and expects. */
export function clientCertificate(host: LabHost, keys: StoreKeys) {
  const { ca, certificate, key } = keys.certificate(CLIENT);
  return { ca, cert: certificate, key, servername: announcedAs(host) };
}

/** How the lab's own clients connect to such a host, by address or name; undefined: in plain text. */
export function clientTls({ tlsOnly }: Pick<LabHost, 'tlsOnly'>, keys: StoreKeys): ConnectionOptions | undefined {
  if (!tlsOnly) return undefined;
  const { ca, certificate, key } = keys.certificate(CLIENT);
  return {
    ...{ ca, cert: certificate, key },
    checkServerIdentity(address, shown) {
      const host = TLS_HOSTS.find((each) => each.dataAddress === address);
      return checkServerIdentity(host ? announcedAs(host) : address, shown);
    },
  };
}
