import { addAbort } from './commands/abort.ts';
import { addCampaign } from './commands/campaign.ts';
import { addCompare } from './commands/compare.ts';
import { addList } from './commands/list.ts';
import { addRun } from './commands/run.ts';
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
  addCompare,
  addCampaign,
  addVerify,
  addSchema,
];
