import { createServer, type Socket } from 'node:net';
import { createRecordsBatch, Reader, readRecordsBatches, Writer } from '@platformatic/kafka';
import { listening } from '../../listening.ts';

export const TOPIC = 'holdfast-probe';
const TOPIC_ID = '11111111-2222-3333-4444-555555555555';
const METADATA = 3;
const PRODUCE = 0;
const FETCH = 1;
const LIST_OFFSETS = 2;
const DESCRIBE_QUORUM = 55;
/** As the protocol numbers it. */
const CLUSTER_AUTHORIZATION_FAILED = 31;

export interface StoredRecord {
  key: string;
  value: string;
}

/** What it does other than an honest broker. */
export interface Lies {
  /** Puts a record into the log, or does not. @returns the offset to acknowledge; undefined: no answer */
  append?(log: StoredRecord[], record: StoredRecord): number | undefined;
  acknowledgeAfterMs?: number;
  /** Which part of an answer it sends, from 0 (it hangs) to 1. @param connection its number, from 1 */
  share?(api: 'metadata' | 'produce' | 'fetch' | 'listOffsets' | 'describeQuorum', connection: number): number;
  /** Who leads the metadata quorum; `forbidden`: we may not ask. */
  controller?: number | 'forbidden';
  logStartOffset?: number;
}

/** One broker on loopback that leads a topic of one partition: as much of Kafka's protocol as the probe speaks. */
export async function scriptedBroker(lies: Lies = {}) {
  const log: StoredRecord[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    const connection = sockets.add(socket).size;
    let received = Buffer.alloc(0);
    socket.on('error', () => {});
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      while (received.length >= 4 && received.length >= 4 + received.readInt32BE()) {
        const length = received.readInt32BE();
        void answer(socket, connection, Reader.from(received.subarray(4, 4 + length)));
        received = received.subarray(4 + length);
      }
    });
  });
  const port = await listening(server);

  async function answer(socket: Socket, connection: number, request: Reader): Promise<void> {
    const apiKey = request.readInt16();
    request.readInt16();
    const correlationId = request.readInt32();
    request.readNullableString(false);
    request.readTaggedFields();
    const apis = {
      [METADATA]: 'metadata',
      [PRODUCE]: 'produce',
      [FETCH]: 'fetch',
      [LIST_OFFSETS]: 'listOffsets',
      [DESCRIBE_QUORUM]: 'describeQuorum',
    } as const;
    const api = apis[apiKey as keyof typeof apis];
    const body = await { metadata, produce, fetch, listOffsets, describeQuorum }[api](request);
    if (!body) return;
    const frame = Writer.create()
      .appendInt32(correlationId)
      .appendTaggedFields()
      .appendFrom(body)
      .prependLength().buffer;
    socket.write(frame.subarray(0, Math.floor(frame.length * (lies.share?.(api, connection) ?? 1))));
  }

  async function metadata(): Promise<Writer> {
    return Writer.create()
      .appendInt32(0)
      .appendArray([1], (w, id) => w.appendInt32(id).appendString('127.0.0.1').appendInt32(port).appendString(null))
      .appendString('cluster')
      .appendInt32(1)
      .appendArray([TOPIC], (w, topic) => {
        w.appendInt16(0).appendString(topic).appendUUID(TOPIC_ID).appendBoolean(false);
        w.appendArray([0], (p, index) => {
          p.appendInt16(0).appendInt32(index).appendInt32(1).appendInt32(5);
          for (const ids of [[1], [1], []]) p.appendArray(ids, (one, id) => one.appendInt32(id), true, false);
        }).appendInt32(0);
      })
      .appendTaggedFields();
  }

  async function produce(request: Reader): Promise<Writer | undefined> {
    request.readNullableString();
    request.readInt16();
    request.readInt32();
    let offset: number | undefined;
    request.readArray((topic) => {
      topic.readString();
      topic.readArray((partition) => {
        partition.readInt32();
        const records = readRecordsBatches(Reader.from(partition.readBytes())).flatMap((batch) => batch.records);
        for (const { key, value } of records) {
          const record = { key: String(key), value: String(value ?? '') };
          const at = lies.append ? lies.append(log, record) : log.push(record) - 1;
          // As Kafka says it: of the first.
          offset ??= at;
        }
      });
    });
    if (offset === undefined) return undefined;
    if (lies.acknowledgeAfterMs) await new Promise((resolve) => setTimeout(resolve, lies.acknowledgeAfterMs));
    return Writer.create()
      .appendArray([TOPIC], (w, topic) =>
        w.appendString(topic).appendArray([0], (p, index) => {
          p.appendInt32(index)
            .appendInt16(0)
            .appendInt64(BigInt(offset ?? -1))
            .appendInt64(-1n)
            .appendInt64(0n);
          p.appendArray([], () => {}).appendString(null);
        }),
      )
      .appendInt32(0)
      .appendTaggedFields();
  }

  async function fetch(request: Reader): Promise<Writer> {
    request.readInt32();
    const maxWaitMs = request.readInt32();
    request.skip(17);
    let offset = 0;
    request.readArray((topic) => {
      topic.readUUID();
      topic.readArray((partition) => {
        partition.skip(8);
        offset = Number(partition.readInt64());
        partition.skip(16);
      });
    });
    const untilMs = performance.now() + maxWaitMs;
    while (log.length <= offset && performance.now() < untilMs) await new Promise((resolve) => setTimeout(resolve, 2));
    const batches = Buffer.concat(log.slice(offset).map((record, index) => batchOf(record, offset + index)));
    return Writer.create()
      .appendInt32(0)
      .appendInt16(0)
      .appendInt32(0)
      .appendArray([TOPIC_ID], (w, id) =>
        w.appendUUID(id).appendArray([0], (p, index) => {
          p.appendInt32(index).appendInt16(0).appendInt64(BigInt(log.length)).appendInt64(BigInt(log.length));
          p.appendInt64(BigInt(lies.logStartOffset ?? 0))
            .appendArray(null, () => {})
            .appendInt32(-1)
            .appendBytes(batches);
        }),
      )
      .appendTaggedFields();
  }

  async function listOffsets(): Promise<Writer> {
    return Writer.create()
      .appendInt32(0)
      .appendArray([TOPIC], (w, topic) =>
        w.appendString(topic).appendArray([0], (p, index) => {
          p.appendInt32(index).appendInt16(0).appendInt64(-1n).appendInt64(BigInt(log.length)).appendInt32(5);
        }),
      )
      .appendTaggedFields();
  }

  async function describeQuorum(): Promise<Writer> {
    const controller = lies.controller ?? 1;
    const leader = controller === 'forbidden' ? -1 : controller;
    return Writer.create()
      .appendInt16(controller === 'forbidden' ? CLUSTER_AUTHORIZATION_FAILED : 0)
      .appendString(null)
      .appendArray(['__cluster_metadata'], (w, topic) =>
        w.appendString(topic).appendArray([0], (p, index) => {
          p.appendInt32(index).appendInt16(0).appendString(null).appendInt32(leader).appendInt32(5).appendInt64(0n);
          for (const ids of [[1], []])
            p.appendArray(ids, (v, id) =>
              v.appendInt32(id).appendUUID(TOPIC_ID).appendInt64(0n).appendInt64(7n).appendInt64(7n),
            );
        }),
      )
      .appendArray([], () => {})
      .appendTaggedFields();
  }

  return {
    log,
    port,
    lies,
    connections: () => sockets.size,
    close: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

function batchOf({ key, value }: StoredRecord, offset: number): Buffer {
  const message = { topic: TOPIC, partition: 0, key: Buffer.from(key), value: Buffer.from(value) };
  const batch = Buffer.from(createRecordsBatch([message]).buffer);
  // The checksum does not cover it.
  batch.writeBigInt64BE(BigInt(offset));
  return batch;
}
