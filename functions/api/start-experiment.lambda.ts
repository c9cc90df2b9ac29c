import { randomUUID } from 'node:crypto';
import { bodyOf, callerOf, refuseContent, route } from './answer.ts';
import { startDependencies } from './start-dependencies.ts';
import { startExperiment } from './start-experiment.ts';

const dependencies = startDependencies();

export const handler = route(
  async (event) =>
    refuseContent(event) ??
    startExperiment(
      {
        body: bodyOf(event),
        dryRun: event.queryStringParameters?.dryRun === 'true',
        caller: callerOf(event),
        ownerToken: randomUUID(),
      },
      dependencies,
    ),
  { dryRun: ['true', 'false'] },
);
