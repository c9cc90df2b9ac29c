import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import {
  FAILURES_BEFORE_OPEN,
  OPEN_MS,
  RECEIPT_TIMEOUT_MS,
  writerNamed,
  writerWithBreaker,
  writerWithoutBreaker,
} from '../../../lab/traffic/receipts.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

const refused = () => Promise.reject(new Error('refused'));
const written = async () => undefined;
/** Answers nothing, as a store does that is cut off. */
const silent = () => new Promise<never>(() => undefined);

async function opened() {
  const writer = writerWithBreaker();
  for (let count = 0; count < FAILURES_BEFORE_OPEN; count += 1) expect(await writer.write(refused)).toBe('failed');
  return writer;
}

describe('receipts through a breaker', () => {
  test('a worker never waits longer than the time-out, and what it waited for is told to stop', async () => {
    const writer = writerWithBreaker();
    let signal: AbortSignal | undefined;
    const result = writer.write((given) => {
      signal = given;
      return silent();
    });
    await vi.advanceTimersByTimeAsync(RECEIPT_TIMEOUT_MS);
    expect(await result).toBe('failed');
    expect(signal?.aborted).toBe(true);
  });

  test('after so many failures in a row an order is given up without a try; one that went well begins the count anew', async () => {
    const writer = writerWithBreaker();
    for (let count = 1; count < FAILURES_BEFORE_OPEN; count += 1) await writer.write(refused);
    expect(await writer.write(written)).toBe('processed');
    expect(await writer.write(refused)).toBe('failed');
    expect(writer.isOpen()).toBe(false);

    const broken = await opened();
    expect(broken.isOpen()).toBe(true);
    const receipt = vi.fn(written);
    expect(await broken.write(receipt)).toBe('dead_letter');
    expect(receipt).not.toHaveBeenCalled();
  });

  test('while one is tried all others are given up at once: the trial keeps one worker and not all of them', async () => {
    const writer = await opened();
    await vi.advanceTimersByTimeAsync(OPEN_MS);
    const trial = writer.write(silent);
    const others = [writer.write(written), writer.write(written)];
    expect(await Promise.all(others)).toEqual(['dead_letter', 'dead_letter']);
    expect(writer.isOpen()).toBe(true);
    await vi.advanceTimersByTimeAsync(RECEIPT_TIMEOUT_MS);
    expect(await trial).toBe('failed');
    expect(await writer.write(written)).toBe('dead_letter');
  });

  test('closes when the trial went well', async () => {
    const writer = await opened();
    await vi.advanceTimersByTimeAsync(OPEN_MS);
    expect(await writer.write(written)).toBe('processed');
    expect(writer.isOpen()).toBe(false);
    expect(await writer.write(written)).toBe('processed');
  });
});

describe('receipts without a breaker', () => {
  test('a worker waits for as long as the client does', async () => {
    let finish = () => {};
    const result = writerWithoutBreaker.write(() => new Promise<void>((resolve) => (finish = resolve)));
    await vi.advanceTimersByTimeAsync(100 * RECEIPT_TIMEOUT_MS);
    expect(await Promise.race([result, Promise.resolve('waits')])).toBe('waits');
    finish();
    expect(await result).toBe('processed');
  });

  test('failures in a row change nothing', async () => {
    for (let count = 0; count < 2 * FAILURES_BEFORE_OPEN; count += 1) {
      expect(await writerWithoutBreaker.write(refused)).toBe('failed');
    }
    expect(writerWithoutBreaker.isOpen()).toBe(false);
    expect(await writerWithoutBreaker.write(written)).toBe('processed');
  });

  test('LAB_CONSUMER_BREAKER says which it is, and anything else is refused', () => {
    expect(writerNamed('off')).toBe(writerWithoutBreaker);
    expect(writerNamed(undefined)).not.toBe(writerWithoutBreaker);
    expect(writerNamed('on')).not.toBe(writerWithoutBreaker);
    expect(() => writerNamed('no')).toThrow('LAB_CONSUMER_BREAKER: "no" is neither on nor off');
  });
});
