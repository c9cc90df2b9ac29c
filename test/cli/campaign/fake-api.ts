import type { ApiAnswer, ApiClient } from '../../../cli/api-client.ts';
import type { RunDocument } from '../../../cli/runs/run-document.ts';
import { type ProblemSlug, problem } from '../../../functions/domain/problem.ts';
import { runOf } from '../runs/run-fixtures.ts';

const BASE = '/api/v1/chaos/experiments';

export function refusal(slug: ProblemSlug, detail = 'why'): ApiAnswer {
  const body = problem(slug, detail);
  return { status: body.status, body };
}

export interface Start {
  id: string;
  body: Record<string, unknown> & { parameters: Record<string, unknown> };
}

/**
 * An API in front of one shard of three nodes. Each run that it takes is over at once, and each time the next node of the
 * shard becomes its master.
 */
export class FakeApi {
  readonly starts: Start[] = [];
  readonly aborted: string[] = [];
  readonly known = new Map<string, RunDocument>();
  readonly nodes: readonly string[];
  master: string;
  /** Answers in place of the next dry runs, and in place of the next starts; `throw` is no answer. */
  readonly dryRuns: (ApiAnswer | 'throw' | undefined)[] = [];
  readonly startAnswers: (ApiAnswer | undefined)[] = [];
  /** What a run came to, in their order; without one it is confirmed after 4.5 s. */
  results: ((id: string) => RunDocument)[] = [];
  /** Called before every call. */
  onCall: (call: string) => void = () => undefined;

  readonly client: ApiClient = {
    close: () => undefined,
    call: async (method, path, text) => this.answerTo(method, path, text ?? ''),
  };

  /** The last one is master first. */
  constructor(nodes: readonly string[] = ['node-1', 'node-2', 'node-3']) {
    this.nodes = nodes;
    this.master = nodes.at(-1) ?? '';
  }

  answerTo(method: string, path: string, text: string): ApiAnswer {
    this.onCall(`${method} ${path}`);
    if (path === `${BASE}?dryRun=true`) return this.#dryRun(text);
    if (method === 'POST' && path === BASE) return this.#start(JSON.parse(text));
    const [id = '', verb] = path.slice(BASE.length + 1).split('/');
    const document = this.known.get(id);
    if (verb === 'abort') {
      this.aborted.push(id);
      if (document) this.known.set(id, { ...document, status: 'ABORTED', outcome: 'INCONCLUSIVE' });
      return { status: 202, body: {} };
    }
    return document ? { status: 200, body: { ...document, timeline: [], nodes: [] } } : refusal('experiment-not-found');
  }

  #dryRun(text: string): ApiAnswer {
    const answer = this.dryRuns.shift();
    if (answer === 'throw') throw new Error('connect ECONNREFUSED');
    if (answer) return answer;
    const { targetNodes } = JSON.parse(text).parameters as { targetNodes: string[] };
    const node = (name: string) => {
      const role = { shard: 'shard-1', role: name === this.master ? 'master' : 'slave' };
      return { name, instanceId: 'i-1', roles: [role], ...role };
    };
    const targets = [{ faultId: 'f.1', impacted: targetNodes.map(node), shardMembers: this.nodes.map(node) }];
    return {
      status: 200,
      body: { admitted: true, experiment: { faults: [] }, facts: { clusters: [], targets } },
    };
  }

  #start(body: Start['body'] & { experimentId: string }): ApiAnswer {
    const answer = this.startAnswers.shift();
    if (answer) return answer;
    const id = body.experimentId;
    const result = this.results.shift() ?? ((name: string) => runOf(name, 4.5));
    this.starts.push({ id, body });
    this.known.set(id, result(id));
    this.master = this.nodes[(this.nodes.indexOf(this.master) + 1) % this.nodes.length] ?? this.master;
    return { status: 202, body: {} };
  }
}
