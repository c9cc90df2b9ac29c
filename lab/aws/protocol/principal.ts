/** Who makes a call, and the policies that were synthesized for it. */
export interface Principal {
  /** ARN as it stands in `userArn`: a user, or an assumed role with its session. */
  arn: string;
  /** What an identity policy is attached to, and what a resource policy names: the user or the role. */
  identityArn: string;
  name: string;
  policies: readonly IdentityPolicy[];
  /** Condition keys of a service that acts for one of its resources. */
  context?: Record<string, string>;
}

export interface IdentityPolicy {
  name: string;
  document: unknown;
}

export interface Credentials {
  accessKeyId: string;
  secretAccessKey: string;
  /** Absent for users: long-lived keys have none. */
  sessionToken?: string;
}

/** Whose key signed a request. */
export interface KeyRing {
  find(accessKeyId: string): { credentials: Credentials; principal: Principal } | undefined;
}

/** One permission that a call needs: an operation may need several. */
export interface Demand {
  action: string;
  resource: string;
  /** Condition keys, from the stand-in's own state; never from what the caller claims about itself. */
  context?: Record<string, string | string[]>;
  resourcePolicy?: unknown;
}

export interface Authorizer {
  /** @throws AwsError AccessDeniedException for the first demand that no policy allows. */
  require(principal: Principal, demands: readonly Demand[], sourceIp?: string): Promise<void>;
}
