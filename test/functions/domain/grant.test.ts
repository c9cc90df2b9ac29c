import { describe, expect, it } from 'vitest';
import { grantFor } from '../../../functions/domain/grant.ts';
import vectors from '../../fixtures/grant-vectors.json' with { type: 'json' };

describe('grant', () => {
  it.each(vectors.map((vector) => [vector.description, vector] as const))(
    'is what the host computes: %s',
    (_, vector) => {
      const parameters = Object.fromEntries(
        Object.entries(vector.parameters).map(([name, value]) => [name, `${value}`]),
      );
      expect(grantFor(vector.instanceId, parameters)).toBe(vector.grant);
      const reversed = Object.fromEntries(Object.entries(parameters).reverse());
      expect(grantFor(vector.instanceId, reversed)).toBe(vector.grant);
    },
  );

  it('does not hold for another parameter or another host', () => {
    const grant = grantFor('i-1', { ttlSeconds: '60' });
    expect(grantFor('i-1', { ttlSeconds: '61' })).not.toBe(grant);
    expect(grantFor('i-2', { ttlSeconds: '60' })).not.toBe(grant);
  });
});
