/**
 * The shim that runs inside every execution environment: loads the handler, takes one invocation at a time over IPC
 * and answers. It leaves as soon as the lab's AWS process is gone, by whatever death.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { FromRuntime, ToRuntime } from './lambda-messages.ts';

type Handler = (event: unknown, context: object) => unknown;

process.on('disconnect', () => process.exit(0));

function send(message: FromRuntime): Promise<void> {
  return new Promise((done) => process.send?.(message, undefined, undefined, () => done()) ?? done());
}

function describe(error: unknown): { errorType: string; errorMessage: string; trace: string[] } {
  if (!(error instanceof Error)) return { errorType: typeof error, errorMessage: String(error), trace: [] };
  return { errorType: error.name, errorMessage: error.message, trace: (error.stack ?? '').split('\n') };
}

async function loadHandler(): Promise<Handler> {
  const [file = '', exported = ''] = (process.env._HANDLER ?? '').split(/\.(?=[^.]+$)/);
  const root = process.env.LAMBDA_TASK_ROOT ?? process.cwd();
  const path = ['.mjs', '.js', '.cjs'].map((ending) => join(root, file + ending)).find((path) => existsSync(path));
  if (path === undefined) throw new Error(`Runtime.ImportModuleError: no ${file}.mjs, .js or .cjs in ${root}`);
  const module: Record<string, unknown> = await import(pathToFileURL(path).href);
  const fallback = module.default;
  const found =
    module[exported] ??
    (typeof fallback === 'object' && fallback !== null ? Reflect.get(fallback, exported) : undefined);
  if (typeof found !== 'function') throw new Error(`Runtime.HandlerNotFound: ${file} exports no ${exported}`);
  return (event, context) => Reflect.apply(found, undefined, [event, context]);
}

async function crash(error: unknown): Promise<void> {
  console.error(error);
  await send({ kind: 'failed', error: describe(error) });
  process.exit(129);
}
process.on('uncaughtException', crash);
process.on('unhandledRejection', crash);

const handler = await loadHandler();
process.on('message', async (message: ToRuntime) => {
  const deadlineMs = performance.now() + message.timeoutMs;
  const context = {
    awsRequestId: message.requestId,
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: '$LATEST',
    invokedFunctionArn: message.functionArn,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(0, Math.round(deadlineMs - performance.now())),
  };
  try {
    const result = await handler(message.event, context);
    await send({ kind: 'succeeded', payload: JSON.stringify(result ?? null) });
  } catch (error) {
    console.error(error);
    await send({ kind: 'threw', error: describe(error) });
  }
});
await send({ kind: 'ready' });
