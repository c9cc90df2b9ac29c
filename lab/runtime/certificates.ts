import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { FLEET_HOSTS } from '../fleet/fleet.ts';
import { CLIENT } from '../fleet/store-keys.ts';
import { createAuthority } from '../shared/authority.ts';
import { LAB_FILES, OWN_FILES } from '../shared/files.ts';
import {
  AUDIT_BUCKET,
  AWS_DATA_ADDRESS,
  AWS_HOST_NAME,
  AWS_MANAGEMENT_ADDRESS,
  DOMAIN,
  LAMBDA_NETWORK,
  SNS_HOST_NAME,
} from '../shared/topology.ts';

const SUBJECT_ALTERNATIVE_NAMES = [
  `DNS:${AWS_HOST_NAME}`,
  `DNS:${AUDIT_BUCKET}.${AWS_HOST_NAME}`,
  `DNS:*.${DOMAIN}`,
  `DNS:${SNS_HOST_NAME}`,
  'DNS:localhost',
  'IP:127.0.0.1',
  `IP:${AWS_MANAGEMENT_ADDRESS}`,
  `IP:${AWS_DATA_ADDRESS}`,
  `IP:${LAMBDA_NETWORK.awsAddress}`,
].join(',');

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
