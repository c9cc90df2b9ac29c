import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

const HOUR_MS = 3_600_000;

/**
 * `server.key` and `server.pem` of the AWS side. Valid since yesterday, as a real endpoint's is: a host whose clock is
 * wrong by minutes must still be able to verify it.
 */
export function createCertificate(directory: string, address: string): void {
  const path = (name: string) => join(directory, name);
  const openssl = (...args: string[]) => execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
  const stamp = (fromNowMs: number) =>
    new Date(Date.now() + fromNowMs)
      .toISOString()
      .replace(/[-:T]|\.\d+/g, '')
      .slice(2);
  writeFileSync(path('index.txt'), '');
  writeFileSync(
    path('ca.conf'),
    `[ca]
default_ca = own
[own]
database = ${path('index.txt')}
new_certs_dir = ${directory}
rand_serial = yes
default_md = sha256
policy = any
x509_extensions = extensions
[any]
commonName = supplied
[extensions]
basicConstraints = critical,CA:TRUE
subjectAltName = IP:${address}
`,
  );
  openssl(
    ...['req', '-new', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-subj', '/CN=aws'],
    ...['-keyout', path('server.key'), '-out', path('server.csr')],
  );
  openssl(
    ...[
      'ca',
      '-batch',
      '-config',
      path('ca.conf'),
      '-selfsign',
      '-keyfile',
      path('server.key'),
      '-in',
      path('server.csr'),
    ],
    ...['-notext', '-out', path('server.pem'), '-startdate', stamp(-24 * HOUR_MS), '-enddate', stamp(24 * HOUR_MS)],
  );
}
