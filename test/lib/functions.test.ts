import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { functionAt, functions, logicalId, ofType, propertiesOf } from './synthesized.ts';

/** The table *Functions* of docs/contracts.md: entry point → "yes" or "no" in the column VPC. */
function contract(): Map<string, string> {
  const rows = readFileSync('docs/contracts.md', 'utf8').matchAll(/^\| (`[^|]*\.lambda\.ts`) \| (yes|no) \|/gm);
  const entries = [...rows].flatMap(([, cell = '', inVpc = '']) => {
    const names = [...cell.matchAll(/`([^`]+)`/g)].map(([, name = '']) => name);
    const folder = names[0]?.split('/')[0];
    return names.map((name): [string, string] => [name.includes('/') ? name : `${folder}/${name}`, inVpc]);
  });
  return new Map(entries);
}

describe('functions', () => {
  it('are those of the contract, in the VPC exactly where the contract says so', () => {
    const made = functions.map((each): [string, string] => [
      each.entryPoint,
      propertiesOf(each).VpcConfig ? 'yes' : 'no',
    ]);
    expect(new Map(made.sort())).toEqual(new Map([...contract()].sort()));
    expect(made.length).toBeGreaterThan(15);
  });

  it('exist as files', () => {
    for (const { entryPoint } of functions) expect(existsSync(`functions/${entryPoint}`), entryPoint).toBe(true);
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

  it('keep room for everything that watches or rolls back, whatever else the account runs', () => {
    const reserved = functions.filter((each) => propertiesOf(each).ReservedConcurrentExecutions !== undefined);
    expect(reserved.map(({ entryPoint }) => entryPoint).sort()).toEqual([
      'guard/guard.lambda.ts',
      'rollback/on-alarm.lambda.ts',
      'rollback/on-execution-end.lambda.ts',
      'rollback/roll-back.lambda.ts',
      'rollback/sweep.lambda.ts',
      'rollback/verify-recovery.lambda.ts',
      'verdict/conclude-experiment.lambda.ts',
    ]);
  });

  it('gives admission the names of the documents, which it may not send', () => {
    const { Variables } = propertiesOf(functionAt('admission/admit.lambda.ts')).Environment as { Variables: object };
    expect(Variables).toMatchObject({ HOLDFAST_DOCUMENT_PREFIX: 'Holdfast-Holdfast-' });
  });

  it('lets the guard outlive the longest fault and its setup within the limit of a Lambda', () => {
    const timeoutSeconds = propertiesOf(functionAt('guard/guard.lambda.ts')).Timeout;
    expect(timeoutSeconds).toBeGreaterThanOrEqual(700);
    expect(timeoutSeconds).toBeLessThanOrEqual(900);
  });

  it('never runs a probe twice for one experiment, and tries again to hear an alarm or a death', () => {
    const retries = (entryPoint: string) => {
      const id = logicalId(functionAt(entryPoint));
      const config = ofType('AWS::Lambda::EventInvokeConfig').find(([, each]) =>
        JSON.stringify(each).includes(`"${id}"`),
      );
      return config?.[1].Properties.MaximumRetryAttempts;
    };
    expect(retries('probe/probe.lambda.ts')).toBe(0);
    expect(retries('rollback/on-alarm.lambda.ts')).toBe(2);
    expect(retries('rollback/on-execution-end.lambda.ts')).toBe(2);
  });
});
