import * as z from 'zod';
import { expectStatus, readBody, renderAnswer } from '../answers.ts';
import { KILL_SWITCH_PATH } from '../api-client.ts';
import { CommandError, EXIT } from '../exit-codes.ts';
import { engagedSchema, reArmedSchema, switchesSchema } from '../kill-switch-documents.ts';
import { type AddCommand, type ApiOptions, withConnection, withSession } from '../program.ts';
import { plainPaint } from '../render.ts';
import { renderEngaged, renderSwitches } from '../render-kill-switch.ts';

interface SwitchOptions extends ApiOptions {
  cluster?: string;
}
interface TurnOptions extends SwitchOptions {
  reason: string;
}

const NOT_ENGAGED = z.looseObject({ type: z.literal('urn:holdfast:problem:kill-switch-not-engaged') });

export const addKillSwitch: AddCommand = (program, world) => {
  const killSwitch = program
    .command('kill-switch')
    .description('end every fault now and let nothing start: engage, status, re-arm');
  const sub = (name: string, description: string) =>
    withConnection(
      killSwitch
        .command(name)
        .description(description)
        .option('--cluster <name>', 'only the switch of this cluster (default: that of all)'),
    );

  sub('engage', 'hosts revert within about a second; repeating it changes nothing')
    .requiredOption('--reason <text>', 'why, for the log and for whoever is refused meanwhile')
    .action((options: TurnOptions) =>
      withSession(options, world, async ({ client, screen, writeDocument }) => {
        const answer = await client.call('POST', pathOf(options), JSON.stringify({ reason: options.reason }));
        // Ours, and yet nobody has decided against it.
        if (NOT_ENGAGED.safeParse(answer.body).success)
          throw new CommandError(EXIT.unavailable, renderAnswer(answer, plainPaint).join('\n'));
        expectStatus(answer, 200);
        screen.print(renderEngaged(readBody(engagedSchema, answer), screen.paint));
        writeDocument(answer.body);
        return EXIT.confirmed;
      }),
    );

  sub('status', 'every kill switch: who engaged it, when and why').action((options: SwitchOptions) =>
    withSession(options, world, async ({ client, screen, writeDocument }) => {
      const answer = await client.call('GET', pathOf(options));
      expectStatus(answer, 200);
      screen.print(renderSwitches(readBody(switchesSchema, answer), screen.paint));
      writeDocument(answer.body);
      return EXIT.confirmed;
    }),
  );

  sub('re-arm', 'let experiments start again; refused while one is not over')
    .requiredOption('--reason <text>', 'why, for the log')
    .action((options: TurnOptions) =>
      withSession(options, world, async ({ client, screen, writeDocument }) => {
        const answer = await client.call('DELETE', pathOf(options, { reason: options.reason }));
        expectStatus(answer, 200);
        const { alreadyArmed, safetyLever } = readBody(reArmedSchema, answer);
        screen.print([
          alreadyArmed ? 'It was armed already: experiments may start.' : 'Armed again: experiments may start.',
          ...(safetyLever ? [`FIS's safety lever: ${safetyLever}.`] : []),
        ]);
        writeDocument(answer.body);
        return EXIT.confirmed;
      }),
    );
};

function pathOf({ cluster }: SwitchOptions, parameters: Record<string, string> = {}): string {
  const given = Object.entries({ ...(cluster === undefined ? {} : { cluster }), ...parameters });
  const query = given.map(([name, value]) => `${name}=${escaped(value)}`).join('&');
  return query === '' ? KILL_SWITCH_PATH : `${KILL_SWITCH_PATH}?${query}`;
}

/** As a signature has it: a space is never a plus there. */
function escaped(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (each) => `%${each.charCodeAt(0).toString(16).toUpperCase()}`);
}
