import { addAbort } from './commands/abort.ts';
import { addApprove } from './commands/approve.ts';
import { addCampaign } from './commands/campaign.ts';
import { addCompare } from './commands/compare.ts';
import { addKillSwitch } from './commands/kill-switch.ts';
import { addList } from './commands/list.ts';
import { addRun } from './commands/run.ts';
import { addSchedule } from './commands/schedule.ts';
import { addSchema } from './commands/schema.ts';
import { addStatus } from './commands/status.ts';
import { addValidate } from './commands/validate.ts';
import { addVerify } from './commands/verify.ts';
import { addWatch } from './commands/watch.ts';
import type { AddCommand } from './program.ts';

/** In the order of `--help`. */
export const COMMANDS: readonly AddCommand[] = [
  addValidate,
  addRun,
  addStatus,
  addWatch,
  addList,
  addAbort,
  addApprove,
  addSchedule,
  addKillSwitch,
  addCompare,
  addCampaign,
  addVerify,
  addSchema,
];
