import { EventEmitter, once } from 'node:events';
import type { Duplex } from 'node:stream';
import { PassThrough } from 'node:stream';
import type { Outcome, Running } from '../../host/host.ts';

/** What the agent says, one JSON text a line. */
interface Said {
  boot?: string;
  id?: number;
  out?: string;
  err?: string;
  code?: number;
}

/** One command in the guest. */
class RemoteProcess extends EventEmitter implements Running {
  readonly stdout = new PassThrough();
  readonly stderr = new PassThrough();
  private readonly send: (signal: string) => void;

  constructor(send: (signal: string) => void) {
    super();
    this.send = send;
  }

  kill(signal: NodeJS.Signals = 'SIGTERM'): void {
    this.send(signal.slice(3));
  }

  end(code: number): void {
    this.stdout.end();
    this.stderr.end();
    this.emit('exit', code);
  }
}

/** The guest's serial port and the agent behind it: no fault of the network reaches it. */
export class Line {
  /** Identity of the boot that answers now; it changes with every reboot. */
  boot: string | undefined;
  private readonly port: Duplex;
  private readonly running = new Map<number, RemoteProcess>();
  private rest = '';
  private lastId = 0;

  constructor(port: Duplex) {
    this.port = port;
    port.on('data', (chunk) => this.read(String(chunk)));
  }

  private read(text: string): void {
    const lines = (this.rest + text).split('\n');
    this.rest = lines.pop() ?? '';
    for (const line of lines) if (line.startsWith('{')) this.hear(JSON.parse(line) as Said);
  }

  private hear(said: Said): void {
    if (said.boot) {
      this.boot = said.boot;
      // What ran before the boot answers no more.
      this.endAll();
    }
    const found = said.id === undefined ? undefined : this.running.get(said.id);
    if (said.id === undefined || !found) return;
    if (said.out) found.stdout.write(Buffer.from(said.out, 'base64'));
    if (said.err) found.stderr.write(Buffer.from(said.err, 'base64'));
    if (said.code === undefined) return;
    this.running.delete(said.id);
    found.end(said.code);
  }

  /** Ends what runs, as if it had been killed: its kernel is gone. */
  endAll(): void {
    for (const process of this.running.values()) process.end(137);
    this.running.clear();
  }

  private say(message: object): void {
    this.port.write(`${JSON.stringify(message)}\n`);
  }

  spawn(words: string[], environment: Record<string, string> = {}): RemoteProcess {
    const id = ++this.lastId;
    const process = new RemoteProcess((signal) => this.say({ id, signal }));
    this.running.set(id, process);
    this.say({ id, words, environment });
    return process;
  }

  exec(words: string[], environment: Record<string, string> = {}): Promise<Outcome> {
    return this.collect(this.spawn(words, environment));
  }

  /** Kills what earlier commands left running in the guest. */
  clear(): Promise<Outcome> {
    const id = ++this.lastId;
    const process = new RemoteProcess(() => undefined);
    this.running.set(id, process);
    this.say({ id, clear: true });
    return this.collect(process);
  }

  private async collect(process: RemoteProcess): Promise<Outcome> {
    let [out, err] = ['', ''];
    process.stdout.on('data', (chunk) => {
      out += String(chunk);
    });
    process.stderr.on('data', (chunk) => {
      err += String(chunk);
    });
    const ends = [once(process.stdout, 'end'), once(process.stderr, 'end')];
    const [code] = (await once(process, 'exit')) as [number];
    await Promise.all(ends);
    return { code, out: out.trim() || (code === 0 ? '' : err.trim()) };
  }
}
