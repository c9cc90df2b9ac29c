import { records } from '../aws/wiring.ts';
import { route } from './answer.ts';
import { listExperiments } from './list-experiments.ts';

const dependencies = { records: records() };

export const handler = route((event) => listExperiments(event.queryStringParameters ?? {}, dependencies), {
  cluster: 'any',
  fault: 'any',
});
