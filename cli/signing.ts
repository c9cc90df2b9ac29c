/** What signs a request, in one module that is loaded when there is one to sign. */
export { Sha256 } from '@aws-crypto/sha256-js';
export { SignatureV4 } from '@smithy/signature-v4';
