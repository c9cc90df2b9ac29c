/** What gateways of several kinds show to Prometheus: each request of theirs fails, and each write takes 30 s. */

/** @param requests counted so far. */
export function exposedText(
  requests: number,
  { statusLabel = 'code', status = '500', buckets = ['0.05', '0.2', '1'], shard = 'shard-1' } = {},
): string {
  const series = [
    `http_requests_total{${statusLabel}="${status}",shard="${shard}"} ${requests}`,
    ...buckets.map((le) => `http_write_duration_seconds_bucket{le="${le}"} 0`),
    `http_write_duration_seconds_bucket{le="+Inf"} ${requests}`,
    `http_write_duration_seconds_sum ${30 * requests}`,
    `http_write_duration_seconds_count ${requests}`,
    'gateway_workers_free 50',
    'gateway_workers_max 100',
  ];
  const types = [
    ...['http_requests_total counter', 'http_write_duration_seconds histogram'],
    ...['gateway_workers_free gauge', 'gateway_workers_max gauge'],
  ].map((type) => `# TYPE ${type}`);
  return `${[...types, ...series].join('\n')}\n`;
}

/** In which Prometheus takes a native histogram: length-delimited `io.prometheus.client.MetricFamily` messages. */
export const PROTOBUF = 'application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited';

/** One native histogram of writes, as an exposition in protobuf. */
export function exposedNativeHistogram(writes: number): Buffer {
  // Of schema 0 the bucket with index 5 holds what took 16 to 32 s.
  const span = Buffer.concat([varint(1, zigZag(5)), varint(2, 1)]);
  const histogram = Buffer.concat([
    varint(1, writes),
    double(2, 30 * writes),
    varint(5, zigZag(0)),
    double(6, 1e-9),
    varint(7, 0),
    bytes(12, span),
    varint(13, zigZag(writes)),
  ]);
  const family = Buffer.concat([
    bytes(1, Buffer.from('http_write_duration_seconds')),
    varint(3, 4),
    bytes(4, bytes(7, histogram)),
  ]);
  return Buffer.concat([number(family.length), family]);
}

function varint(field: number, value: number): Buffer {
  return Buffer.concat([number(field * 8), number(value)]);
}

function double(field: number, value: number): Buffer {
  const written = Buffer.alloc(8);
  written.writeDoubleLE(value);
  return Buffer.concat([number(field * 8 + 1), written]);
}

function bytes(field: number, value: Buffer): Buffer {
  return Buffer.concat([number(field * 8 + 2), number(value.length), value]);
}

/** Base 128, the lowest seven bits first. */
function number(value: number): Buffer {
  const written: number[] = [];
  let rest = value;
  while (rest >= 128) {
    written.push((rest % 128) + 128);
    rest = Math.floor(rest / 128);
  }
  return Buffer.from([...written, rest]);
}

function zigZag(value: number): number {
  return value >= 0 ? 2 * value : -2 * value - 1;
}
