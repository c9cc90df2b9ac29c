import { afterAll, beforeAll, describe, it } from 'vitest';
import { expectDeclaredOnly, ON_THIS_MACHINE } from '../commands/expect-declared.ts';
import { CANARY_NODES, SystemUnderTest } from './harness.ts';

describe('the lab', () => {
  let system: SystemUnderTest;
  beforeAll(() => {
    system = new SystemUnderTest();
  });
  afterAll(() => system.close());

  for (const place of [CANARY_NODES[0] ?? '', 'vpc', 'gateway-1']) {
    it(`finds on ${place} the commands that are declared and no others`, () =>
      expectDeclaredOnly(async (script) => (await system.on(place, 'sh', '-c', script)).stdout, ON_THIS_MACHINE));
  }
});
