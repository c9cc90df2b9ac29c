import { type ConnectionOptions, connect } from 'node:tls';

const UNTRUSTED = 'its certificate is not of an authority that is trusted (caSecret, caFile)';
/** Node's and OpenSSL's codes, and what a person is to look at. */
const WORDS: Readonly<Record<string, string>> = {
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: UNTRUSTED,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: UNTRUSTED,
  SELF_SIGNED_CERT_IN_CHAIN: UNTRUSTED,
  DEPTH_ZERO_SELF_SIGNED_CERT: UNTRUSTED,
  CERT_SIGNATURE_FAILURE: UNTRUSTED,
  CERT_HAS_EXPIRED: 'its certificate has expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name (serverName)',
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: 'it demands a certificate of us (clientCertificate)',
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE:
    'it agrees to no handshake; it may demand a certificate of us (clientCertificate)',
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: 'it does not take our certificate (clientCertificate)',
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: 'it does not trust the authority of our certificate (clientCertificate)',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS on that port',
};

/** The error in words, or undefined when it is not one of TLS. */
export function tlsProblem(error: unknown, tls: ConnectionOptions | undefined): Error | undefined {
  if (!(error instanceof Error) || !tls) return undefined;
  // Of the same alerts OpenSSL says `SSL/TLS` since 3.5.
  const code = (error as NodeJS.ErrnoException).code?.replace('SSL/TLS_ALERT', 'SSLV3_ALERT') ?? '';
  const words = WORDS[code] ?? (code.startsWith('ERR_SSL_') || code.startsWith('ERR_TLS_') ? code : undefined);
  if (words === undefined) return undefined;
  const name = tls.servername === undefined ? '' : ` to ${tls.servername}`;
  return new Error(`TLS${name}: ${words}: ${error.message}`, { cause: error });
}

/** What a server says to a client that says nothing itself, for so long at most; undefined: nothing against it. */
export function handshakeProblem(
  host: string,
  port: number,
  tls: ConnectionOptions,
  withinMs: number,
): Promise<Error | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ ...tls, host, port, timeout: withinMs });
    const end = (problem?: Error) => {
      socket.destroy();
      resolve(problem);
    };
    socket.once('error', (error) => end(tlsProblem(error, tls)));
    socket.once('timeout', () => end());
    socket.once('close', () => end());
  });
}
