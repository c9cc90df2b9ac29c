import type { RunDocument } from '../runs/run-document.ts';
import { CONFIDENCE_PCT } from '../statistics/claim.ts';
import type { CampaignEvaluation } from './evaluate.ts';

/** What every claim takes for granted. */
export const ASSUMPTION =
  `Each claim is at ${CONFIDENCE_PCT} % confidence by itself, if the runs are independent of each other and alike. ` +
  'A run without a value counts as beyond the limit.';

export interface CampaignDocument extends CampaignEvaluation {
  /** The experimentId of the file; its runs are called after it. */
  campaign: string;
  runsAsked: number;
  /** Those that began. */
  runs: RunDocument[];
  /** Why there are fewer than were asked for, or null. */
  endedEarly: string | null;
  /** What the claims take for granted. */
  assumption: string;
}
