import { dynamoClient } from '../aws/clients.ts';
import { requireEnv } from '../runtime/environment.ts';
import { route } from './answer.ts';
import { findRecordsIn, listExperiments } from './list-experiments.ts';

const findRecords = findRecordsIn(dynamoClient(), requireEnv('HOLDFAST_RECORD_TABLE'));

export const handler = route((event) => listExperiments(event.queryStringParameters ?? {}, findRecords), {
  cluster: 'any',
  fault: 'any',
});
