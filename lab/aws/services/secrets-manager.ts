import { readFileSync } from 'node:fs';
import { z } from 'zod';
import { AwsError } from '../protocol/aws-error.ts';
import type { JsonObject } from '../protocol/json.ts';
import type { Demand } from '../protocol/principal.ts';
import { type JsonService, type Operation, refuseUnknownFields, requiredString } from '../protocol/service.ts';

const secretsSchema = z.record(z.string(), z.object({ text: z.string(), keyArn: z.string().optional() }));

/** Secrets Manager: the secrets of this lab, written before this process starts. */
export class SecretsManager implements JsonService {
  readonly signingName = 'secretsmanager';
  readonly operations: Record<string, Operation>;

  constructor(place: { accountId: string; region: string }, secretsFile: string) {
    const secretOf = (input: JsonObject) => {
      const secrets = secretsSchema.parse(JSON.parse(readFileSync(secretsFile, 'utf8')));
      const id = requiredString(input, 'SecretId');
      return Object.hasOwn(secrets, id) ? secrets[id] : undefined;
    };
    // AWS appends six random characters to the name; policies end in -?????? because of it.
    const arnOf = (input: JsonObject): string =>
      `arn:aws:secretsmanager:${place.region}:${place.accountId}:secret:${requiredString(input, 'SecretId')}-LabLab`;
    /** Secrets Manager asks KMS in the caller's name. Its own key it may use for everybody in the account. */
    const decryption = (input: JsonObject): Demand[] => {
      const keyArn = secretOf(input)?.keyArn;
      const context = {
        'kms:ViaService': `secretsmanager.${place.region}.amazonaws.com`,
        'kms:CallerAccount': place.accountId,
        'kms:EncryptionContext:SecretARN': arnOf(input),
      };
      // The default key policy: the account's IAM policies decide.
      const Principal = { AWS: `arn:aws:iam::${place.accountId}:root` };
      const statement = { Effect: 'Allow', Principal, Action: 'kms:*', Resource: '*' };
      const resourcePolicy = { Version: '2012-10-17', Statement: [statement] };
      return keyArn === undefined ? [] : [{ action: 'kms:Decrypt', resource: keyArn, context, resourcePolicy }];
    };
    this.operations = {
      GetSecretValue: {
        demands: (input) => [{ action: 'secretsmanager:GetSecretValue', resource: arnOf(input) }, ...decryption(input)],
        run: (input) => {
          refuseUnknownFields(input, ['SecretId', 'VersionStage']);
          const secret = secretOf(input);
          if (secret === undefined)
            throw new AwsError('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
          const { text: SecretString } = secret;
          return { ARN: arnOf(input), Name: input.SecretId, SecretString, VersionStages: ['AWSCURRENT'] };
        },
      },
    };
  }
}
