import { Logger } from '@aws-lambda-powertools/logger';

/** JSON lines on stdout; the level comes from `POWERTOOLS_LOG_LEVEL`. */
export const log = new Logger({ serviceName: 'holdfast' });
