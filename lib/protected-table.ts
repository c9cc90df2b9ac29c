import { RemovalPolicy } from 'aws-cdk-lib';
import { BillingMode, TableEncryption, type TableProps } from 'aws-cdk-lib/aws-dynamodb';

/**
 * What every table of the control plane has: on demand, restorable to any second, and not deleted with the stack.
 *
 * Encryption is by AWS-owned keys, everywhere and on purpose: leases are polled and audit entries written before each
 * step of a rollback, so a KMS outage, a throttled key or a disabled grant would stand between a host and its undo.
 */
export const PROTECTED_TABLE = {
  billingMode: BillingMode.PAY_PER_REQUEST,
  encryption: TableEncryption.DEFAULT,
  pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
  deletionProtection: true,
  removalPolicy: RemovalPolicy.RETAIN,
} satisfies Partial<TableProps>;
