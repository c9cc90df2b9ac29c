/** The bucket that stands before S3's own name in the Host header; undefined: the path begins with it. */
export function bucketOfHost(host: string | undefined): string | undefined {
  return /^(.+)\.(?:s3|aws)\./.exec(host ?? '')?.[1];
}
