import * as z from 'zod';
import type { Clock } from '../domain/clock.ts';
import type { Source } from '../domain/guardrail-queries.ts';
import type { RawReading } from '../domain/guardrails.ts';
import { HISTORY_TIMEOUT_MS, MAX_CLOCK_DIFFERENCE_MS, QUERY_TIMEOUT_MS } from '../domain/timing.ts';
import { type HttpAnswer, httpGet } from '../runtime/http-get.ts';

/** A value, and the age of the newest sample of the stalest series behind it. Both finite. */
export interface AgedValue {
  value: number;
  ageSeconds: number;
}

/** The narrow port through which guard and checks see telemetry. Values are finite or the call rejects. */
export interface Telemetry {
  /** Value and age, of one evaluation. */
  read(source: Pick<Source, 'query' | 'freshness'>): Promise<AgedValue>;
  /** Only the value: for what is compared with nothing that gets old. */
  instant(query: string): Promise<number>;
  /** Finite samples of the past `seconds`, one each second; NaN samples (no traffic in a window) are left out. */
  range(query: string, seconds: number): Promise<number[]>;
  /** What `read` would have said at each whole second of a time that is past, by epoch milliseconds. */
  history(source: Pick<Source, 'query' | 'freshness'>, fromMs: number, toMs: number): Promise<Map<number, RawReading>>;
  /** Why an alerting rule of that name could not fire, or undefined. */
  alertProblem(alert: string): Promise<string | undefined>;
}

/** Tells value and age apart in the answer to the one query that asks for both. */
const PART_LABEL = 'holdfast_part';
/** Between the samples of a range. A proxy that aligns ranges may move them by as much. */
const STEP_SECONDS = 1;
/** A long time is asked for in parts, side by side: none of them is too large to be answered. */
const PART_SECONDS = 120;

/** A rule is evaluated at least this often, or it is stuck; its own interval may be longer. */
const RULE_INTERVALS = 3;

const MAX_ERROR_CHARACTERS = 200;

/** Sends one question, a GET, within that time. */
export type Ask = (url: URL, timeoutMs: number) => Promise<HttpAnswer>;
const get = httpGet();
/** Of a Prometheus that answers everybody. */
export const openToAll: Ask = (url, timeoutMs) => get(url, {}, timeoutMs);

/** One series of an answer. */
interface Answered {
  metric: Record<string, string>;
  text: string;
}

const sample = z.tuple([z.number(), z.string()]);
const labels = z.record(z.string(), z.string());
const answer = z.object({
  status: z.literal('success'),
  warnings: z.array(z.string()).optional(),
  data: z.discriminatedUnion('resultType', [
    z.object({ resultType: z.literal('scalar'), result: sample }),
    z.object({
      resultType: z.literal('vector'),
      result: z.array(z.object({ metric: labels, value: sample.optional() })),
    }),
    z.object({
      resultType: z.literal('matrix'),
      result: z.array(z.object({ metric: labels, values: z.array(sample).default([]) })),
    }),
  ]),
});

const errorAnswer = z.object({ status: z.literal('error'), error: z.string() });

const rules = z.object({
  status: z.literal('success'),
  data: z.object({
    groups: z.array(
      z.object({
        interval: z.number(),
        rules: z.array(
          z.object({
            name: z.string(),
            health: z.string(),
            lastEvaluation: z.string(),
            lastError: z.string().optional(),
          }),
        ),
      }),
    ),
  }),
});

/**
 * Queries over Prometheus's HTTP API, read strictly: anything but one finite value is an error, and so is an answer that
 * was not evaluated now. A cache or a stuck server would otherwise be fresh for ever: the ages in its answer are old too.
 */
export class PrometheusClient implements Telemetry {
  readonly #baseUrl: string;
  readonly #send: Ask;
  readonly #clock: Pick<Clock, 'nowEpochMs'>;
  /** When the last answer to each query was evaluated, by Prometheus's clock. Milliseconds. */
  readonly #evaluatedMs = new Map<string, number>();
  /** Who asks the same at the same time gets the same answer: two evaluations would be in no certain order. */
  readonly #asked = new Map<string, Promise<Answered[]>>();

  /** @param send how questions are asked of a Prometheus that does not answer everybody */
  constructor(baseUrl: string, clock: Pick<Clock, 'nowEpochMs'>, send: Ask = openToAll) {
    this.#baseUrl = baseUrl.replace(/\/+$/, '');
    this.#clock = clock;
    this.#send = send;
  }

  async read(source: Pick<Source, 'query' | 'freshness'>): Promise<AgedValue> {
    const parts = await this.#vector(agedQuery(source));
    const ages = parts.filter(({ metric }) => metric[PART_LABEL] === 'age');
    const value = only(parts.filter(({ metric }) => metric[PART_LABEL] === 'value'));
    if (ages.length === 0) throw new Error('its age is unknown: its series are not there');
    return { value: finite(value.text), ageSeconds: finite(only(ages).text) };
  }

  async instant(query: string): Promise<number> {
    return finite(only(await this.#vector(query)).text);
  }

  async range(query: string, seconds: number): Promise<number[]> {
    const toMs = this.#clock.nowEpochMs();
    const { values } = only(await this.#matrix(query, toMs - seconds * 1000, toMs, QUERY_TIMEOUT_MS));
    return values.map(([, text]) => parseSample(text)).filter(Number.isFinite);
  }

  async history(
    source: Pick<Source, 'query' | 'freshness'>,
    fromMs: number,
    toMs: number,
  ): Promise<Map<number, RawReading>> {
    const [first, last] = [Math.floor(fromMs / 1000), Math.floor(toMs / 1000)];
    const starts = Array.from(
      { length: Math.ceil((last - first + 1) / PART_SECONDS) },
      (_, at) => first + at * PART_SECONDS,
    );
    const parts = starts.map((start) => {
      const end = Math.min(start + PART_SECONDS - STEP_SECONDS, last);
      return this.#matrix(agedQuery(source), start * 1000, end * 1000, HISTORY_TIMEOUT_MS);
    });
    const series = (await Promise.all(parts)).flat();
    const readings = new Map<number, RawReading>();
    for (let second = first; second <= last; second += STEP_SECONDS) readings.set(second * 1000, {});
    const take = (part: string, into: 'value' | 'ageSeconds') => {
      for (const { metric, values } of series.filter((each) => each.metric[PART_LABEL] === part)) {
        for (const [second, text] of values) {
          const reading = readings.get(second * 1000);
          if (!reading) continue;
          if (reading[into] === undefined) reading[into] = parseSample(text);
          else reading.problem = `the query gives several series, it must give one: ${JSON.stringify(metric)}`;
        }
      }
    };
    take('value', 'value');
    take('age', 'ageSeconds');
    return readings;
  }

  async alertProblem(alert: string): Promise<string | undefined> {
    const { groups } = rules.parse(await this.#ask('rules', { type: 'alert' }, QUERY_TIMEOUT_MS)).data;
    const found = groups.flatMap(({ interval, rules: own }) => own.map((rule) => ({ ...rule, interval })));
    const named = found.filter(({ name }) => name === alert);
    if (named.length === 0) return `Prometheus has no alerting rule ${alert}`;
    // There may be several of the name, one a severity.
    for (const { health, lastError = 'not evaluated yet', lastEvaluation, interval } of named) {
      if (health !== 'ok') return `the rule ${alert} is ${health}: ${lastError}`;
      const ageSeconds = (this.#clock.nowEpochMs() - Date.parse(lastEvaluation)) / 1000;
      // `!(…)`: a time that is none is no evaluation.
      if (!(ageSeconds <= RULE_INTERVALS * interval + MAX_CLOCK_DIFFERENCE_MS / 1000)) {
        return `the rule ${alert} was evaluated ${ageSeconds.toFixed(1)} s ago, it should be every ${interval} s`;
      }
    }
    return undefined;
  }

  #vector(query: string): Promise<Answered[]> {
    const asked = this.#asked.get(query) ?? this.#evaluate(query).finally(() => this.#asked.delete(query));
    this.#asked.set(query, asked);
    return asked;
  }

  async #evaluate(query: string): Promise<Answered[]> {
    const sentMs = this.#clock.nowEpochMs();
    const data = await this.#get('query', { query }, QUERY_TIMEOUT_MS);
    const receivedMs = this.#clock.nowEpochMs();
    if (data.resultType === 'matrix') throw new Error('the query gives a range, not a value');
    const samples = data.resultType === 'scalar' ? [{ metric: {}, value: data.result }] : data.result;
    const found = samples.map(({ metric, value }) => {
      if (!value) throw new Error('the query gives a histogram, not a value');
      return { metric, evaluatedMs: value[0] * 1000, text: value[1] };
    });
    const [evaluatedMs] = found.map((each) => each.evaluatedMs);
    if (evaluatedMs !== undefined) this.#refuseNotNow(query, evaluatedMs, sentMs, receivedMs);
    return found;
  }

  /** Every sample of an answer carries the moment of its evaluation. */
  #refuseNotNow(query: string, evaluatedMs: number, sentMs: number, receivedMs: number): void {
    const differs = (ms: number, direction: string) => {
      const most = `clocks may differ by ${MAX_CLOCK_DIFFERENCE_MS / 1000} s`;
      throw new Error(`the answer was evaluated ${(ms / 1000).toFixed(1)} s ${direction} (${most})`);
    };
    // `!(…)`: a moment that is not a number is not now.
    if (!(sentMs - evaluatedMs <= MAX_CLOCK_DIFFERENCE_MS)) differs(sentMs - evaluatedMs, 'before it was asked for');
    if (evaluatedMs - receivedMs > MAX_CLOCK_DIFFERENCE_MS) differs(evaluatedMs - receivedMs, 'after it came');
    const before = this.#evaluatedMs.get(query);
    if (before !== undefined && evaluatedMs <= before) {
      throw new Error(
        'the answer was not evaluated after the one before: a cache, or a server that lags behind another',
      );
    }
    this.#evaluatedMs.set(query, evaluatedMs);
  }

  /** By our clock: an answer for another time than the one asked for is refused, whoever gave it. */
  async #matrix(query: string, fromMs: number, toMs: number, timeoutMs: number) {
    const [start, end] = [fromMs / 1000, toMs / 1000];
    const range = { start: `${start}`, end: `${end}`, step: `${STEP_SECONDS}` };
    const data = await this.#get('query_range', { query, ...range }, timeoutMs);
    if (data.resultType !== 'matrix') throw new Error('the query gives no range');
    const asked = ([second]: [number, string]) => second >= start - STEP_SECONDS && second <= end + STEP_SECONDS;
    if (!data.result.every(({ values }) => values.every(asked))) {
      throw new Error('the answer is for another time than the one asked for: a cache');
    }
    return data.result;
  }

  async #get(path: string, parameters: Record<string, string>, timeoutMs: number) {
    const { warnings = [], data } = answer.parse(await this.#ask(path, parameters, timeoutMs));
    // A warning may mean a partial answer; notes about the style of a query ("PromQL info") do not.
    const serious = warnings.filter((warning) => !warning.startsWith('PromQL info'));
    if (serious.length > 0) throw new Error(`Prometheus warns: ${serious.join('; ')}`);
    return data;
  }

  async #ask(path: string, parameters: Record<string, string>, timeoutMs: number): Promise<unknown> {
    const url = new URL(`${this.#baseUrl}/api/v1/${path}?${queryString(parameters)}`);
    const { status, body } = await this.#send(url, timeoutMs);
    if (status !== 200) throw new Error(`Prometheus answers HTTP ${status}${explanation(status, body)}`);
    try {
      return JSON.parse(body);
    } catch {
      throw new Error('the answer is no JSON');
    }
  }
}

/** A signature is over spaces as `%20`, which is all that differs from a form. */
function queryString(parameters: Record<string, string>): string {
  return new URLSearchParams(parameters).toString().replaceAll('+', '%20').replaceAll('*', '%2A');
}

/**
 * What Prometheus says of an error. Another answer is not repeated: whoever stands before it may say in it what we sent to
 * prove who we are.
 */
function explanation(status: number, body: string): string {
  if (status === 401 || status === 403) return ': it does not accept who asks (telemetry.auth)';
  try {
    return `: ${errorAnswer.parse(JSON.parse(body)).error.slice(0, MAX_ERROR_CHARACTERS)}`;
  } catch {
    return '';
  }
}

/** The line feed ends a comment in the query. */
function agedQuery({ query, freshness }: Pick<Source, 'query' | 'freshness'>): string {
  const part = (name: string, expression: string) =>
    `label_replace(${expression}\n, "${PART_LABEL}", "${name}", "", "")`;
  return `${part('value', query)} or ${part('age', `time() - min(timestamp(${freshness}))`)}`;
}

function only<T>(series: readonly T[]): T {
  const [first, ...others] = series;
  if (!first) throw new Error('the query gives no series');
  if (others.length > 0) throw new Error(`the query gives ${series.length} series, it must give one`);
  return first;
}

function finite(text: string): number {
  const value = parseSample(text);
  if (!Number.isFinite(value)) throw new Error(`the query gives ${text}`);
  return value;
}

/** Unlike `Number`, refuses an empty text. */
function parseSample(text: string): number {
  return text.trim() === '' ? Number.NaN : Number(text);
}
