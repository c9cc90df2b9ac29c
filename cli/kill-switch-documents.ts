import * as z from 'zod';

/** What the API answers of kill switches, as far as the command reads it. */
const turn = z.looseObject({ by: z.string().nullish(), at: z.string().nullish(), reason: z.string().nullish() });
export const switchesSchema = z.looseObject({
  engaged: z.boolean(),
  switches: z.array(
    z.looseObject({
      cluster: z.string().nullish(),
      engaged: z.boolean(),
      engagement: turn.nullish(),
      lastReArmed: turn.nullish(),
    }),
  ),
});
export type SwitchesDocument = z.output<typeof switchesSchema>;
export const engagedSchema = z.looseObject({
  cluster: z.string().nullish(),
  alreadyEngaged: z.boolean(),
  recorded: z.boolean(),
  steps: z.array(z.looseObject({ step: z.string(), outcome: z.string(), detail: z.string() })),
});
export type EngagedDocument = z.output<typeof engagedSchema>;
export const reArmedSchema = z.looseObject({ alreadyArmed: z.boolean(), safetyLever: z.string().nullish() });
