import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hashRequest, Reservations } from '../../../functions/tables/reservations.ts';
import { seedExperiment } from '../domain/experiment-fixtures.ts';
import { CALLER, EPOCH_MS, iso } from '../domain/fixtures.ts';
import { localDynamo } from './local-dynamo.ts';

let reservations: Reservations;
let close: () => Promise<void>;

beforeAll(async () => {
  const local = await localDynamo('experiments', 'experimentId');
  close = local.close;
  reservations = new Reservations({ dynamo: local.dynamo, tableName: 'experiments' });
});
afterAll(() => close());

const reservation = (experimentId: string) => {
  const request = seedExperiment(experimentId);
  return { experimentId, requestHash: hashRequest(request), request, caller: CALLER, acceptedAt: iso(0) };
};

describe('an experiment id', () => {
  it('belongs to the token that reserved it, whoever else asks for it', async () => {
    expect(await reservations.reserve(reservation('a'), 't1')).toBe(true);
    expect(await reservations.reserve(reservation('a'), 't1')).toBe(true);
    expect(await reservations.reserve(reservation('a'), 't2')).toBe(false);
    expect(await reservations.cancel('a', 't2')).toBe(false);
    expect(await reservations.find('a')).toMatchObject(reservation('a'));
    expect(await reservations.cancel('a', 't1')).toBe(true);
    expect(await reservations.find('a')).toBeUndefined();
  });

  it('is known while its request is judged, until the note is void, and once it is reserved for good', async () => {
    expect(await reservations.isKnown('b', EPOCH_MS)).toBe(false);
    await reservations.noteAdmission('b', EPOCH_MS + 1000);
    expect(await reservations.isKnown('b', EPOCH_MS + 1000)).toBe(true);
    expect(await reservations.isKnown('b', EPOCH_MS + 1001)).toBe(false);
    expect(await reservations.find('b')).toBeUndefined();
    await reservations.reserve(reservation('b'), 't1');
    expect(await reservations.isKnown('b', EPOCH_MS + 1e9)).toBe(true);
  });
});
