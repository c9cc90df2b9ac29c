import { randomUUID } from 'node:crypto';
import { loadConfiguration } from '../aws/configuration.ts';
import { bodyOf, callerOf, refuseContent, route, withExperimentId } from './answer.ts';
import { approveExperiment } from './approve-experiment.ts';
import { startDependencies } from './start-dependencies.ts';

const dependencies = { ...startDependencies(), principals: loadConfiguration().principals };

export const handler = route(
  (event) =>
    withExperimentId(event, async (experimentId) => {
      const dryRun = event.queryStringParameters?.dryRun === 'true';
      const refused = dryRun ? undefined : refuseContent(event);
      const request = { experimentId, body: bodyOf(event), dryRun, caller: callerOf(event), ownerToken: randomUUID() };
      return refused ?? approveExperiment(request, dependencies);
    }),
  { dryRun: ['true', 'false'] },
);
