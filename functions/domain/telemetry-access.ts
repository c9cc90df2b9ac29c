import * as z from 'zod';
import { authorityFields, hasOneAuthority, ONE_AUTHORITY, secretName } from './secrets.ts';

/** How a cluster's Prometheus is opened; the only rights of ours that it sees. */

const inSecret = z.strictObject({ secretName });
const authSchema = z
  .strictObject({
    /** Secret with JSON `{"username","password"}`. */
    basic: inSecret.optional(),
    /** Secret with JSON `{"token"}`. */
    bearer: inSecret.optional(),
    /** Secret with JSON `{"certificate","key"}`, both PEM. */
    clientCertificate: inSecret.optional(),
    /** Amazon Managed Service for Prometheus: by the functions' own roles. */
    sigV4: z
      .strictObject({ region: z.string().regex(/^[a-z]{2}(-[a-z]+)+-\d$/, 'a Region, as in eu-west-1') })
      .optional(),
  })
  .refine(
    (auth) => Object.values(auth).filter((way) => way !== undefined).length === 1,
    'exactly one of basic, bearer, clientCertificate, sigV4',
  );

export const telemetryAccessFields = {
  /** Absent: it answers everybody. */
  auth: authSchema.optional(),
  /** For a server whose certificate is not of a public authority. */
  tls: z.strictObject(authorityFields).refine(hasOneAuthority, ONE_AUTHORITY).optional(),
};

const accessSchema = z.object({ prometheusUrl: z.string(), ...telemetryAccessFields });
export type TelemetryAccess = z.output<typeof accessSchema>;

/** The last part of the URL of a workspace in AMP, on whichever host. */
const WORKSPACE = /\/workspaces\/(ws-[A-Za-z0-9-]+)\/?$/;

/** What URL and access together may not say, by field; for `superRefine`. */
export function accessProblems({ prometheusUrl, auth, tls }: TelemetryAccess): { path: string[]; message: string }[] {
  const { protocol, pathname } = new URL(prometheusUrl);
  const needsTls = [...(tls ? ['tls'] : []), ...(auth?.clientCertificate ? ['auth.clientCertificate'] : [])];
  const problems = [];
  if (protocol !== 'https:' && needsTls.length > 0) {
    problems.push({ path: ['prometheusUrl'], message: `must be https beside ${needsTls.join(' and ')}` });
  }
  if (auth?.sigV4 && !WORKSPACE.test(pathname)) {
    const message = 'must end with /workspaces/<id of the workspace> beside auth.sigV4';
    problems.push({ path: ['prometheusUrl'], message });
  }
  return problems;
}

/** Whether what proves us could be read on the way. */
export function showsCredentials({ prometheusUrl, auth }: TelemetryAccess): boolean {
  return auth !== undefined && new URL(prometheusUrl).protocol !== 'https:';
}

/** Id of the workspace in AMP that is read, and its Region; undefined: it is none. */
export function workspaceOf({ prometheusUrl, auth }: TelemetryAccess): { id: string; region: string } | undefined {
  const id = WORKSPACE.exec(new URL(prometheusUrl).pathname)?.[1];
  return auth?.sigV4 && id !== undefined ? { id, region: auth.sigV4.region } : undefined;
}

/** Names of the secrets that are read for it. */
export function telemetrySecretNames({ auth, tls }: TelemetryAccess): string[] {
  const { basic, bearer, clientCertificate } = auth ?? {};
  return [basic?.secretName, bearer?.secretName, clientCertificate?.secretName, tls?.caSecret].filter(
    (name) => name !== undefined,
  );
}
