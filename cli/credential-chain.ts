import { defaultProvider } from '@aws-sdk/credential-provider-node';
import type { Credentials } from './api-client.ts';

/** As the AWS command line finds them: environment, profile, SSO, web identity, container, instance. */
export function credentialChain(profile: string | undefined): () => Promise<Credentials> {
  return defaultProvider(profile === undefined ? {} : { profile });
}
