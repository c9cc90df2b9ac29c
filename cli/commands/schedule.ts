import type { Command } from 'commander';
import * as z from 'zod';
import { expectStatus, isUndecided, readBody, renderAnswer } from '../answers.ts';
import { SCHEDULES_PATH } from '../api-client.ts';
import { scheduleListSchema } from '../api-documents.ts';
import { CommandError, EXIT, message } from '../exit-codes.ts';
import { type AddCommand, type ApiOptions, withConnection, withSession } from '../program.ts';
import { columns, plainPaint, printable } from '../render.ts';
import { renderSchedule, SCHEDULE_COLUMNS } from '../render-schedule.ts';
import { watchExperiment } from '../watch-experiment.ts';
import type { World } from '../world.ts';

const pauseSchema = z.looseObject({ schedule: z.string(), paused: z.boolean() });
/** A problem has a number as its status. */
const startedSchema = z.looseObject({ experimentId: z.string(), status: z.union([z.string(), z.number()]) });
const pathOf = (name: string) => `${SCHEDULES_PATH}/${encodeURIComponent(name)}`;

/** `schedule list|run|pause|resume` */
export const addSchedule: AddCommand = (program, world) => {
  const schedule = program.command('schedule').description('experiments that come by themselves');
  addList(schedule, world);
  addRun(schedule, world);
  addPause(
    schedule,
    world,
    'pause',
    'nothing of it is started until it is resumed, also not by hand or by a deployment',
  );
  addPause(schedule, world, 'resume', 'its next time is started again');
};

function addList(schedule: Command, world: World): void {
  withConnection(
    schedule.command('list').description('every schedule with its next time, and its last one with what came of it'),
  ).action((options: ApiOptions) =>
    withSession(options, world, async ({ client, screen, writeDocument }) => {
      const answer = await client.call('GET', SCHEDULES_PATH);
      expectStatus(answer, 200);
      const { schedules } = readBody(scheduleListSchema, answer);
      screen.print(
        schedules.length === 0
          ? ['the configuration has no schedules']
          : columns([SCHEDULE_COLUMNS, ...schedules.map(renderSchedule)]),
      );
      writeDocument(answer.body);
      return EXIT.confirmed;
    }),
  );
}

function addRun(schedule: Command, world: World): void {
  withConnection(
    schedule
      .command('run')
      .description('start its experiment now, in your name; returns when the fault is in place, or why it is not')
      .argument('<name>', 'the schedule'),
  ).action((name: string, options: ApiOptions) =>
    withSession(options, world, async (session) => {
      const { client, screen, writeDocument } = session;
      const answer = await client.call('POST', `${pathOf(name)}/run`).catch((error: unknown) => {
        throw unknownStart(message(error), error);
      });
      const { status, experimentId } = startedSchema.safeParse(answer.body).data ?? {};
      if (isUndecided(answer)) {
        if (experimentId === undefined) throw unknownStart(renderAnswer(answer, plainPaint).join('\n'));
        return watchExperiment(experimentId, answer, session, world, 'in place');
      }
      expectStatus(answer, 202);
      const started = readBody(startedSchema, answer);
      if (status !== 'INJECTED') return watchExperiment(started.experimentId, answer, session, world, 'in place');
      screen.print([printable(`${experimentId}: ${status}. See it with: holdfast watch ${experimentId}`)]);
      writeDocument(answer.body);
      return EXIT.notOver;
    }),
  );
}

/** Without an id there is nothing to follow, and a start that may have begun is no refusal. */
function unknownStart(said: string, cause?: unknown): CommandError {
  const more = 'Nobody here knows whether it was started: holdfast schedule list shows its last run.';
  return new CommandError(EXIT.inconclusive, `${said}\n${more}`, cause);
}

function addPause(schedule: Command, world: World, act: 'pause' | 'resume', meaning: string): void {
  withConnection(
    schedule.command(act).description(`${meaning}; repeating it changes nothing`).argument('<name>', 'the schedule'),
  ).action((name: string, options: ApiOptions) =>
    withSession(options, world, async ({ client, screen, writeDocument }) => {
      const answer = await client.call('POST', `${pathOf(name)}/${act}`);
      expectStatus(answer, 200);
      const { paused } = readBody(pauseSchema, answer);
      screen.print([printable(paused ? `${name} is paused.` : `${name} is not paused.`)]);
      writeDocument(answer.body);
      return EXIT.confirmed;
    }),
  );
}
