import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { LAB_FILES } from '../shared/files.ts';
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

/**
 * A fresh certificate authority and the AWS endpoint's certificate, for this lab's life only. The authority's key is
 * deleted at once: nobody can issue a second certificate that the lab's hosts would trust.
 * @throws Error when `openssl` fails; its message is in the text.
 */
export function createCertificates(directory: string): void {
  const path = (file: string): string => join(directory, file);
  const caKey = path('tls/ca.key');
  const request = path('tls/server.csr');
  const extensions = path('tls/server.ext');
  mkdirSync(dirname(caKey), { recursive: true, mode: 0o700 });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl(
    ...['req', '-x509', ...newKey, '-keyout', caKey, '-out', path(LAB_FILES.caFile), '-days', VALID_DAYS],
    ...['-subj', '/CN=Holdfast lab', '-addext', 'keyUsage=critical,keyCertSign'],
  );
  openssl(
    ...['req', '-new', ...newKey, '-keyout', path(LAB_FILES.serverKey), '-out', request],
    ...['-subj', `/CN=${AWS_HOST_NAME}`],
  );
  writeFileSync(
    extensions,
    `basicConstraints=critical,CA:FALSE\nextendedKeyUsage=serverAuth\nsubjectAltName=${SUBJECT_ALTERNATIVE_NAMES}\n`,
  );
  openssl(
    ...['x509', '-req', '-in', request, '-CA', path(LAB_FILES.caFile), '-CAkey', caKey, '-CAcreateserial'],
    ...['-out', path(LAB_FILES.serverCertificate), '-days', VALID_DAYS, '-extfile', extensions],
  );
  for (const file of [caKey, request, extensions, path('tls/ca.srl')]) rmSync(file, { force: true });
}
