import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { FLEET_HOSTS } from '../fleet/fleet.ts';
import { CLIENT } from '../fleet/store-keys.ts';
import { LAB_FILES, OWN_FILES } from '../shared/files.ts';
import { AWS_DATA_ADDRESS, AWS_HOST_NAME, AWS_MANAGEMENT_ADDRESS, DOMAIN, LAMBDA_NETWORK } from '../shared/topology.ts';

const VALID_DAYS = '30';
const SUBJECT_ALTERNATIVE_NAMES = [
  `DNS:${AWS_HOST_NAME}`,
  `DNS:*.${DOMAIN}`,
  'DNS:localhost',
  'IP:127.0.0.1',
  `IP:${AWS_MANAGEMENT_ADDRESS}`,
  `IP:${AWS_DATA_ADDRESS}`,
  `IP:${LAMBDA_NETWORK.awsAddress}`,
].join(',');

function openssl(...args: string[]): void {
  execFileSync('openssl', args, { stdio: ['ignore', 'ignore', 'pipe'] });
}

/** Algorithm and protection of every key. */
const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

interface Wanted {
  /** Paths. */
  certificate: string;
  key: string;
  commonName: string;
  subjectAltName: string;
  usage: string;
}

/**
 * A certificate authority and what it signs. Its key is deleted at once: nobody can issue another certificate that is
 * trusted.
 */
export function createAuthority(
  directory: string,
  caFile: string,
  commonName: string,
  wanted: readonly Wanted[],
): void {
  const own = (suffix: string): string => join(directory, OWN_FILES.tls, `authority.${suffix}`);
  openssl(
    ...['req', '-x509', ...NEW_KEY, '-keyout', own('key'), '-out', caFile, '-days', VALID_DAYS],
    ...['-subj', `/CN=${commonName}`, '-addext', 'keyUsage=critical,keyCertSign'],
  );
  for (const { certificate, key, commonName: name, subjectAltName, usage } of wanted) {
    openssl('req', '-new', ...NEW_KEY, '-keyout', key, '-out', own('csr'), '-subj', `/CN=${name}`);
    writeFileSync(
      own('ext'),
      `basicConstraints=critical,CA:FALSE\nextendedKeyUsage=${usage}\nsubjectAltName=${subjectAltName}\n`,
    );
    openssl(
      ...[
        'x509',
        '-req',
        '-in',
        own('csr'),
        '-CA',
        caFile,
        '-CAkey',
        own('key'),
        '-CAcreateserial',
        '-CAserial',
        own('srl'),
      ],
      ...['-out', certificate, '-days', VALID_DAYS, '-extfile', own('ext')],
    );
  }
  for (const suffix of ['key', 'csr', 'ext', 'srl']) rmSync(own(suffix), { force: true });
}

/**
 * For this lab's life only: the AWS endpoint's certificate, and of another authority those of stores that speak TLS and of
 * their clients, which know no addresses.
 * @throws Error when `openssl` fails; its message is in the text.
 */
export function createCertificates(directory: string): void {
  const path = (file: string): string => join(directory, file);
  mkdirSync(path(OWN_FILES.tls), { recursive: true, mode: 0o700 });
  createAuthority(directory, path(LAB_FILES.caFile), 'Holdfast lab', [
    {
      ...{ certificate: path(LAB_FILES.serverCertificate), key: path(LAB_FILES.serverKey), commonName: AWS_HOST_NAME },
      ...{ subjectAltName: SUBJECT_ALTERNATIVE_NAMES, usage: 'serverAuth' },
    },
  ]);
  const inTls = (file: string): string => path(join(OWN_FILES.tls, file));
  const names = FLEET_HOSTS.filter(({ tlsOnly }) => tlsOnly).map(({ name }) => name);
  if (names.length === 0) return;
  const wanted = [...names, CLIENT].map((name) => ({
    ...{ certificate: inTls(`${name}.pem`), key: inTls(`${name}.key`), commonName: `${name}.${DOMAIN}` },
    ...{ subjectAltName: `DNS:${name}.${DOMAIN}`, usage: 'serverAuth,clientAuth' },
  }));
  createAuthority(directory, inTls('store-ca.pem'), 'Stores of the lab', wanted);
}
