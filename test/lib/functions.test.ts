import { readdirSync, readFileSync } from 'node:fs';
import { relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Template } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { MAX_RESERVED_CONCURRENCY } from '../../functions/domain/configuration.ts';
import { ENVIRONMENT } from '../../functions/domain/names.ts';
import {
  FIS_INJECTION_DEADLINE_MS,
  GUARD_LAST_ACT_MS,
  PROBE_EVENT_AGE_SECONDS,
  TTL_SECONDS,
} from '../../functions/domain/timing.ts';
import { parseConfiguration } from '../../functions/engines/configuration.ts';
import { ControlFunction } from '../../lib/control-function.ts';
import { loadConfiguration } from '../../lib/load-configuration.ts';
import { emptyStack, functionAt, functions, logicalId, ofType, propertiesOf } from './synthesized.ts';

const FUNCTIONS = fileURLToPath(new URL('../../functions/', import.meta.url));
/** What asks a store, Prometheus or the VPC's resolver: only from inside the VPC is there an answer. */
const ASKS_INSIDE = ['engines/clients.ts', 'telemetry/prometheus.ts', 'telemetry/addresses.ts'];

/** Every file of `functions/` that an entry point runs, whatever it imports for its types. */
function runBy(entryPoint: string): Set<string> {
  const found = new Set<string>();
  const waiting = [entryPoint];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (found.has(file)) continue;
    found.add(file);
    const imports = readFileSync(FUNCTIONS + file, 'utf8').matchAll(
      /^(?:import|export) (?!type )[^;]*? from '(\.[^']+)'/gm,
    );
    for (const [, path = ''] of imports) waiting.push(relative(FUNCTIONS, resolve(FUNCTIONS, file, '..', path)));
  }
  return found;
}

describe('functions', () => {
  it('are all that there is an entry point for, each once', () => {
    const entryPoints = readdirSync(FUNCTIONS, { recursive: true, encoding: 'utf8' }).filter((path) =>
      path.endsWith('.lambda.ts'),
    );
    expect(functions.map(({ entryPoint }) => entryPoint).sort()).toEqual(entryPoints.sort());
    expect(entryPoints.length).toBeGreaterThan(15);
  });

  it('run in the VPC exactly where they ask a store or telemetry', () => {
    for (const each of functions) {
      const files = runBy(each.entryPoint);
      const asks = ASKS_INSIDE.some((file) => files.has(file));
      expect(propertiesOf(each).VpcConfig !== undefined, each.entryPoint).toBe(asks);
    }
    expect(functions.filter((each) => propertiesOf(each).VpcConfig).length).toBeGreaterThan(3);
  });

  it('run on Node 24 on arm64, traced, with a log group that ends', () => {
    for (const each of functions) {
      expect(propertiesOf(each)).toMatchObject({
        Runtime: 'nodejs24.x',
        Architectures: ['arm64'],
        Handler: 'index.handler',
        TracingConfig: { Mode: 'Active' },
        LoggingConfig: { LogGroup: expect.anything() },
      });
    }
    for (const [, logGroup] of ofType('AWS::Logs::LogGroup'))
      expect(logGroup.Properties.RetentionInDays).toBeGreaterThan(0);
  });

  it('keep room for everything that watches, aborts or rolls back, whatever else the account runs', () => {
    const reserved = functions.filter((each) => propertiesOf(each).ReservedConcurrentExecutions !== undefined);
    expect(reserved.map(({ entryPoint }) => entryPoint).sort()).toEqual([
      'api/abort-experiment.lambda.ts',
      'api/engage-kill-switch.lambda.ts',
      'guard/guard.lambda.ts',
      'rollback/on-alarm.lambda.ts',
      'rollback/on-alert.lambda.ts',
      'rollback/on-execution-end.lambda.ts',
      'rollback/on-fis-end.lambda.ts',
      'rollback/roll-back.lambda.ts',
      'rollback/sweep.lambda.ts',
      'rollback/verify-recovery.lambda.ts',
      'verdict/conclude-experiment.lambda.ts',
    ]);
    const sum = reserved.reduce((all, each) => all + Number(propertiesOf(each).ReservedConcurrentExecutions), 0);
    expect(sum).toBeLessThanOrEqual(MAX_RESERVED_CONCURRENCY);
  });

  it('reserve nothing unless they are told to: a new account has a quota of 10, and would refuse the deployment', async () => {
    const { reservesConcurrency: _, ...silent } = (await loadConfiguration('lab/holdfast.config.ts')).configuration;
    expect(parseConfiguration(silent).reservesConcurrency).toBe(false);
    const other = emptyStack();
    const guard = { entry: 'guard/guard.lambda.ts', description: '', capabilities: [], timeoutSeconds: 1 };
    for (const reservesConcurrency of [false, true]) {
      const made = { ...guard, configuration: { reservesConcurrency }, configurationFile: '', reservedConcurrency: 10 };
      new ControlFunction(other, `Guard${reservesConcurrency}`, made);
    }
    const lambdas = Object.values(Template.fromStack(other).findResources('AWS::Lambda::Function'));
    expect(lambdas.map(({ Properties }) => Properties.ReservedConcurrentExecutions)).toEqual([undefined, 10]);
  });

  it('gives admission the names of the documents, which it may not send', () => {
    expect(propertiesOf(functionAt('admission/admit.lambda.ts')).Environment).toMatchObject({
      Variables: { [ENVIRONMENT.documentPrefix]: 'Holdfast-Holdfast-' },
    });
  });

  it('lets the guard outlive the longest fault and its setup within the limit of a Lambda', () => {
    const timeoutSeconds = propertiesOf(functionAt('guard/guard.lambda.ts')).Timeout;
    const setupSeconds = FIS_INJECTION_DEADLINE_MS / 1000;
    expect(timeoutSeconds).toBeGreaterThan(TTL_SECONDS.max + setupSeconds + GUARD_LAST_ACT_MS / 1000);
    // Lambda's longest.
    expect(timeoutSeconds).toBeLessThanOrEqual(900);
  });

  const invokeConfigOf = (entryPoint: string) => {
    const id = logicalId(functionAt(entryPoint));
    return ofType('AWS::Lambda::EventInvokeConfig').find(([, each]) => JSON.stringify(each).includes(`"${id}"`))?.[1]
      .Properties;
  };

  it('drop the event of a probe that could not be run soon', () => {
    expect(invokeConfigOf('probe/probe.lambda.ts')?.MaximumEventAgeInSeconds).toBe(PROBE_EVENT_AGE_SECONDS);
  });

  it('never runs a probe twice for one experiment, and tries again to hear an alarm or a death', () => {
    const retries = (entryPoint: string) => invokeConfigOf(entryPoint)?.MaximumRetryAttempts;
    expect(retries('probe/probe.lambda.ts')).toBe(0);
    expect(retries('rollback/on-alarm.lambda.ts')).toBe(2);
    expect(retries('rollback/on-alert.lambda.ts')).toBe(2);
    expect(retries('rollback/on-execution-end.lambda.ts')).toBe(2);
    expect(retries('rollback/on-fis-end.lambda.ts')).toBe(2);
    expect(retries('notify/notify.lambda.ts')).toBe(2);
  });
});
