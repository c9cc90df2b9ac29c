import * as z from 'zod';

/** How a configuration names what is secret, and certificates: by where they are, never by what they say. */

/** Secrets Manager's name of a secret: in the account and Region of the deployment. */
export const secretName = z
  .string()
  .regex(/^[A-Za-z0-9/_+=.@-]{1,512}$/, 'the name of a secret: letters, digits and /_+=.@-, at most 512');

/** Beside the configuration, in the bundle of the functions: nothing outside can be meant. */
const bundledFile = z
  .string()
  .regex(
    /^(?!.*\.\.)[A-Za-z0-9_-][A-Za-z0-9._-]*(\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$/,
    'a path of letters, digits, dot, dash and underscore, relative to the configuration and not above it',
  );

/** Authorities that may have signed the certificates of a server; with neither: the public ones. */
export const authorityFields = {
  /** Secret with their certificates (PEM). */
  caSecret: secretName.optional(),
  /** The same in a file beside the configuration, which the functions carry. */
  caFile: bundledFile.optional(),
};
export type Authorities = { [F in keyof typeof authorityFields]?: string | undefined };

/** For `refine`. */
export const ONE_AUTHORITY = { path: ['caFile'], message: 'may not stand beside caSecret' };
export function hasOneAuthority({ caSecret, caFile }: Authorities): boolean {
  return caSecret === undefined || caFile === undefined;
}
