import { Agent, request as httpRequest, type Server } from 'node:http';
import dynalite from 'dynalite';
import { AwsError } from '../protocol/aws-error.ts';
import { isObject, type JsonObject } from '../protocol/json.ts';
import type { Demand } from '../protocol/principal.ts';
import { type JsonService, type Operation, objectList, requiredString } from '../protocol/service.ts';
import type { Resource, Template } from '../template/template.ts';
import { parseInsert } from './dynamodb-partiql.ts';

/** DynamoDB: dynalite in this process, behind the front that verifies and authorizes. */
export class DynamoDb implements JsonService {
  readonly signingName = 'dynamodb';
  readonly operations: Record<string, Operation>;
  readonly #tables: Map<string, Resource>;
  readonly #server: Server = dynalite({ createTableMs: 0 });
  readonly #agent = new Agent({ keepAlive: true });
  #port = 0;
  #frozen: { thawed: Promise<void>; thaw: () => void } | undefined;

  constructor(template: Template) {
    this.#tables = new Map(template.ofType('AWS::DynamoDB::Table').map((table) => [table.name, table]));
    const forward = (name: string): Operation => ({
      demands: (input) => [this.#demand(`dynamodb:${name}`, input)],
      run: (input, { signal }) => this.#call(name, input, signal),
    });
    this.operations = {
      GetItem: forward('GetItem'),
      PutItem: forward('PutItem'),
      UpdateItem: forward('UpdateItem'),
      DeleteItem: forward('DeleteItem'),
      Query: forward('Query'),
      Scan: forward('Scan'),
      BatchGetItem: {
        demands: (input) => this.#batchDemands(input),
        run: (input, { signal }) => this.#call('BatchGetItem', input, signal),
      },
      ExecuteStatement: {
        demands: (input) => {
          const { tableName, item } = parseInsert(input);
          return [this.#demand('dynamodb:PartiQLInsert', { TableName: tableName, Item: item })];
        },
        run: (input, { signal }) => this.#insert(input, signal),
      },
    };
  }

  /** Creates the template's tables. */
  async start(): Promise<void> {
    // By default it hangs up after 5 s of silence, at times on a request that is just on its way.
    this.#server.keepAliveTimeout = 0;
    await new Promise<void>((done) => this.#server.listen(0, '127.0.0.1', done));
    const address = this.#server.address();
    this.#port = typeof address === 'object' && address !== null ? address.port : 0;
    for (const table of this.#tables.values()) {
      const kept = ['KeySchema', 'AttributeDefinitions', 'GlobalSecondaryIndexes', 'LocalSecondaryIndexes'] as const;
      const definition: JsonObject = { TableName: table.name, BillingMode: 'PAY_PER_REQUEST' };
      for (const field of kept) {
        const value = table.properties[field];
        if (value !== undefined) definition[field] = value;
      }
      await this.#forward('CreateTable', definition, new AbortController().signal);
    }
  }

  stop(): void {
    this.freeze(false);
    this.#agent.destroy();
    this.#server.close();
    this.#server.closeAllConnections();
  }

  get tableNames(): string[] {
    return [...this.#tables.keys()];
  }

  /** While frozen every call hangs, as behind a black hole; thawing lets them go on. */
  freeze(frozen: boolean): void {
    if (frozen && this.#frozen === undefined) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#frozen = { thawed: promise, thaw: resolve };
    } else if (!frozen) {
      this.#frozen?.thaw();
      this.#frozen = undefined;
    }
  }

  async #insert(input: JsonObject, signal: AbortSignal): Promise<object> {
    const { tableName, item } = parseInsert(input);
    const condition = {
      ConditionExpression: 'attribute_not_exists(#key)',
      ExpressionAttributeNames: { '#key': this.#hashKey(tableName) },
    };
    try {
      await this.#call('PutItem', { TableName: tableName, Item: item, ...condition }, signal);
    } catch (error) {
      if (error instanceof AwsError && error.code === 'ConditionalCheckFailedException') {
        throw new AwsError('DuplicateItemException', 'Duplicate primary key exists in table');
      }
      throw error;
    }
    return { Items: [] };
  }

  async #call(operation: string, input: JsonObject, signal: AbortSignal): Promise<object> {
    while (this.#frozen !== undefined) await this.#frozen.thawed;
    return this.#forward(operation, input, signal);
  }

  #forward(operation: string, input: JsonObject, signal: AbortSignal): Promise<object> {
    const body = JSON.stringify(input);
    return new Promise((done, fail) => {
      const request = httpRequest(
        {
          port: this.#port,
          host: '127.0.0.1',
          method: 'POST',
          agent: this.#agent,
          signal,
          headers: {
            'content-type': 'application/x-amz-json-1.0',
            'x-amz-target': `DynamoDB_20120810.${operation}`,
            'x-amz-date': '20260101T000000Z',
            // dynalite wants one to be there and does not verify it: the front has.
            authorization:
              'AWS4-HMAC-SHA256 Credential=lab/lab/lab/dynamodb/aws4_request, SignedHeaders=host, Signature=lab',
            'content-length': Buffer.byteLength(body),
          },
        },
        (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('error', fail);
          response.on('end', () => {
            const answer: unknown = JSON.parse(Buffer.concat(chunks).toString() || '{}');
            if (!isObject(answer)) return fail(new Error('dynalite answered no object'));
            if (response.statusCode === 200) return done(answer);
            const code = String(answer.__type ?? 'InternalServerError').replace(/^.*#/, '');
            const message = answer.message ?? answer.Message ?? 'The conditional request failed';
            fail(new AwsError(code, String(message), response.statusCode ?? 500));
          });
        },
      );
      request.on('error', fail);
      request.end(body);
    });
  }

  #arnOf(tableName: string): string {
    const arn = this.#tables.get(tableName)?.arn;
    if (arn === undefined)
      throw new AwsError('ResourceNotFoundException', `Requested resource not found: Table: ${tableName}`);
    return arn;
  }

  #hashKey(tableName: string): string {
    const schema = objectList(this.#tables.get(tableName)?.properties.KeySchema);
    return String(schema.find((key) => key.KeyType === 'HASH')?.AttributeName);
  }

  #demand(action: string, input: JsonObject): Demand {
    const tableName = requiredString(input, 'TableName');
    const tableArn = this.#arnOf(tableName);
    const index = input.IndexName;
    const resource = typeof index === 'string' ? `${tableArn}/index/${index}` : tableArn;
    const key = isObject(input.Key) ? input.Key : isObject(input.Item) ? input.Item : undefined;
    const context = {
      ...leadingKeys(key === undefined ? [] : [key], this.#hashKey(tableName)),
      ...(action === 'dynamodb:UpdateItem' ? { 'dynamodb:Attributes': namedAttributes(input) } : {}),
    };
    return { action, resource, context };
  }

  #batchDemands(input: JsonObject): Demand[] {
    const tables = isObject(input.RequestItems) ? input.RequestItems : {};
    return Object.entries(tables).map(([tableName, request]) => ({
      action: 'dynamodb:BatchGetItem',
      resource: this.#arnOf(tableName),
      context: leadingKeys(isObject(request) ? objectList(request.Keys) : [], this.#hashKey(tableName)),
    }));
  }
}

const EXPRESSIONS = ['UpdateExpression', 'ConditionExpression'] as const;
/** What of an expression is no name of an attribute. */
const WORDS =
  /^(SET|REMOVE|ADD|DELETE|AND|OR|NOT|BETWEEN|IN|attribute_(not_)?exists|attribute_type|begins_with|contains|size|if_not_exists|list_append)$/i;

/** `dynamodb:Attributes`: what the expressions of an update name, and its key. */
function namedAttributes(input: JsonObject): string[] {
  const names = isObject(input.ExpressionAttributeNames) ? input.ExpressionAttributeNames : {};
  const words = EXPRESSIONS.flatMap((field) => String(input[field] ?? '').match(/(?<![\w.:#])#?[A-Za-z_]\w*/g) ?? []);
  const attributes = words.filter((word) => !WORDS.test(word)).map((word) => String(names[word] ?? word));
  return [...new Set([...(isObject(input.Key) ? Object.keys(input.Key) : []), ...attributes])];
}

/** `dynamodb:LeadingKeys`: the partition keys that a call names. */
function leadingKeys(keys: JsonObject[], hashKey: string): Record<string, string[]> {
  const values = keys.map((key) => (isObject(key[hashKey]) ? Object.values(key[hashKey])[0] : undefined));
  const named = values.filter((value) => typeof value === 'string');
  return named.length === 0 ? {} : { 'dynamodb:LeadingKeys': named };
}
