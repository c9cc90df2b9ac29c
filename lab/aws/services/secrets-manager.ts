import { readFileSync } from 'node:fs';
import { AwsError } from '../protocol/aws-error.ts';
import type { JsonObject } from '../protocol/json.ts';
import { type JsonService, type Operation, refuseUnknownFields, requiredString } from '../protocol/service.ts';

/** Secrets Manager: every secret of this lab is the store's, written before this process starts. */
export class SecretsManager implements JsonService {
  readonly signingName = 'secretsmanager';
  readonly operations: Record<string, Operation>;

  constructor(place: { accountId: string; region: string }, secretFile: string) {
    const arnOf = (input: JsonObject): string => {
      const id = requiredString(input, 'SecretId');
      // AWS appends six random characters to the name; policies end in -?????? because of it.
      return id.startsWith('arn:')
        ? id
        : `arn:aws:secretsmanager:${place.region}:${place.accountId}:secret:${id}-LabLab`;
    };
    this.operations = {
      GetSecretValue: {
        demands: (input) => [{ action: 'secretsmanager:GetSecretValue', resource: arnOf(input) }],
        run: (input) => {
          refuseUnknownFields(input, ['SecretId', 'VersionStage']);
          try {
            const text = readFileSync(secretFile, 'utf8');
            return { ARN: arnOf(input), Name: input.SecretId, SecretString: text, VersionStages: ['AWSCURRENT'] };
          } catch {
            throw new AwsError('ResourceNotFoundException', "Secrets Manager can't find the specified secret.");
          }
        },
      },
    };
  }
}
