import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { OWN_FILES } from './files.ts';

const VALID_DAYS = '30';

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
