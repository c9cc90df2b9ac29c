import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { inBatches } from '../../../../lab/fleet/kafka/batches.ts';

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A broker that answers when it is told to. */
function broker() {
  const requests: { partition: number; items: readonly number[]; answer(error?: Error): void }[] = [];
  const produce = inBatches(
    (partition, items: readonly number[]) =>
      new Promise<string>((resolve, reject) => {
        const answer = (error?: Error) => (error ? reject(error) : resolve('node-1'));
        requests.push({ partition, items, answer });
      }),
  );
  return { requests, produce };
}

describe('batches', () => {
  test('what comes while a request is under way goes with the next one, in its order', async () => {
    const { requests, produce } = broker();
    const sent = [produce(0, [1]), produce(0, [2]), produce(0, [3, 4])];
    expect(requests.map(({ items }) => items)).toEqual([[1]]);
    requests[0]?.answer();
    await turn();
    expect(requests.map(({ items }) => items)).toEqual([[1], [2, 3, 4]]);
    requests[1]?.answer();
    expect(await Promise.all(sent)).toEqual(['node-1', 'node-1', 'node-1']);
    void produce(0, [5]);
    expect(requests).toHaveLength(3);
  });

  test('a partition without an answer holds up no other', () => {
    const { requests, produce } = broker();
    void produce(0, [1]);
    void produce(1, [2]);
    expect(requests.map(({ partition }) => partition)).toEqual([0, 1]);
  });

  test('a request that fails fails all that is in it, and nothing else', async () => {
    const { requests, produce } = broker();
    const first = produce(0, [1]);
    const second = produce(0, [2]);
    requests[0]?.answer(new Error('refused'));
    await expect(first).rejects.toThrow('refused');
    await turn();
    requests[1]?.answer();
    expect(await second).toBe('node-1');
  });

  test('what its sender has given up is not sent any more', async () => {
    const { requests, produce } = broker();
    const first = produce(0, [1]);
    const givenUp = new AbortController();
    const second = produce(0, [2], givenUp.signal);
    givenUp.abort(new Error('too late'));
    requests[0]?.answer();
    await first;
    await expect(second).rejects.toThrow('too late');
    expect(requests).toHaveLength(1);
    void produce(0, [3]);
    expect(requests.at(-1)?.items).toEqual([3]);
  });

  test('whatever comes when, every record is sent once, in order, and no request is larger than a broker takes', async () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 300 }), { minLength: 1, maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(sizes, fc.nat(3), async (counts, answersBetween) => {
        const { requests, produce } = broker();
        let next = 0;
        const answers = counts.map(async (count) => {
          await produce(
            0,
            Array.from({ length: count }, () => next++),
          );
        });
        for (let index = 0; requests.length > index; index += 1) {
          for (let turns = 0; turns < answersBetween; turns += 1) await turn();
          requests[index]?.answer();
          await turn();
        }
        await Promise.all(answers);
        expect(requests.flatMap(({ items }) => items)).toEqual(Array.from({ length: next }, (_, index) => index));
        for (const { items } of requests) expect(items.length).toBeLessThanOrEqual(500);
      }),
    );
  });
});
