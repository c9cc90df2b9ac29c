import type { ContextParameter } from './define-kind.ts';
import { anchored, PATTERN } from './patterns.ts';

/** For the kinds that work on the volume of the store's data. */
export const DATA_DIRECTORY: ContextParameter = {
  description: 'an absolute path: a directory on the volume.',
  pattern: anchored(PATTERN.path),
  value: (_fault, { dataDirectory }) => dataDirectory,
};
