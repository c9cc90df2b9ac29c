import { appendFileSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';

/** What `SENTINEL MASTER` is answered with; read from `sentinel.json` in the directory for every answer. */
export interface SentinelScript {
  ip: string;
  flags: string;
  lastOkPingReplyMs: number;
  configEpoch?: number;
  quorum?: number;
}

/**
 * A Sentinel on the peer that plays the moments of a failover which a real one passes through too fast to be met. Each
 * answer leaves a byte in `sentinel-asked`, and what was said to it is in `sentinel-heard`.
 */
function main(directory: string): void {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (data) => {
      appendFileSync(`${directory}/sentinel-heard`, data);
      if (!/SENTINEL\r\n\$6\r\nMASTER\r\n/i.test(data.toString())) return void socket.write('-ERR not played\r\n');
      const {
        ip,
        flags,
        lastOkPingReplyMs,
        configEpoch = 0,
        quorum = 1,
      } = JSON.parse(readFileSync(`${directory}/sentinel.json`, 'utf8')) as SentinelScript;
      const words = ['name', 'shard-1', 'ip', ip, 'port', '6379', 'flags', flags];
      words.push('last-ok-ping-reply', String(lastOkPingReplyMs), 'config-epoch', String(configEpoch));
      words.push('quorum', String(quorum));
      const bulks = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
      socket.write(`*${words.length}\r\n${bulks.join('')}`);
      appendFileSync(`${directory}/sentinel-asked`, '.');
    });
  });
  server.listen(26379, '10.99.0.2', () => process.stdout.write('ready\n'));
}

const directory = process.argv[2];
if (directory) main(directory);
