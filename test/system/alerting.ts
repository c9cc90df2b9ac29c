import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { commandOn } from '../../lab/cli/exec.ts';
import { readAwsReady } from '../../lab/runtime/lab-file.ts';
import { LAB_FILES, OWN_FILES } from '../../lab/shared/files.ts';
import { ALERTMANAGER_PORT } from '../../lab/shared/topology.ts';
import { waitFor } from '../../lab/shared/wait-for.ts';
import { type Alertmanager, alertmanagerCommand, sendAlertsTo } from '../../lab/traffic/alertmanager.ts';
import { deployRules, PROMETHEUS_NAMESPACE } from '../../lab/traffic/prometheus.ts';
import { SYSTEM_LAB_DIRECTORY } from './directory.ts';
import type { SystemUnderTest } from './harness.ts';

interface Published {
  topicArn: string;
  subject?: string;
  message: string;
  publishedAt: string;
}

/** What a tester does with the Alertmanagers of the lab, and sees of them. */
export class Alerting {
  readonly #system: SystemUnderTest;

  constructor(system: SystemUnderTest) {
    this.#system = system;
  }

  /** Messages to the topic of alerts. */
  async messages(): Promise<Published[]> {
    const all = (await this.#system.control('GET', '/messages')) as Published[];
    return all.filter(({ topicArn }) => topicArn === this.topicArn());
  }

  /** Of the topic of alerts, as the deployed Alertmanager knows it. */
  topicArn(): string {
    const { alertmanager = '' } = readAwsReady(SYSTEM_LAB_DIRECTORY).amp ?? {};
    return parse(alertmanager).receivers[0].sns_configs[0].topic_arn;
  }

  /** What the receiver said of messages, one JSON line each. */
  said(): string[] {
    const { functions } = JSON.parse(readFileSync(join(SYSTEM_LAB_DIRECTORY, LAB_FILES.awsReady), 'utf8'));
    const name = Object.entries(functions as Record<string, string>).find(([id]) =>
      id.startsWith('AlertsOnAlert'),
    )?.[1];
    return readFileSync(join(SYSTEM_LAB_DIRECTORY, OWN_FILES.log, `${name}.log`), 'utf8').split('\n');
  }

  /** An alert with these labels, as any program may send one to the Alertmanager that runs as AMP. */
  async add(...labels: string[]): Promise<void> {
    const url = `--alertmanager.url=http://127.0.0.1:${ALERTMANAGER_PORT}`;
    const { code, stderr } = await this.#system.on(PROMETHEUS_NAMESPACE, 'amtool', 'alert', 'add', ...labels, url);
    if (code !== 0) throw new Error(`amtool: ${stderr}`);
  }

  /** The rules as the stack deploys them, evaluated every so often; absent: as AMP does. */
  async deploy(intervalSeconds?: number): Promise<void> {
    const { amp } = readAwsReady(SYSTEM_LAB_DIRECTORY);
    const prometheus = this.#system.lab.pids.prometheus;
    if (!amp || prometheus === undefined) throw new Error('the lab has no alerting');
    deployRules(SYSTEM_LAB_DIRECTORY, amp.rules, intervalSeconds);
    process.kill(prometheus, 'SIGHUP');
  }

  /** The Alertmanager of the team's own, alone: what Prometheus alerts of goes to it until it is stopped. */
  async startOwn(configuration: string): Promise<() => Promise<void>> {
    const { lab } = this.#system;
    const { alertmanager: credentials } = readAwsReady(SYSTEM_LAB_DIRECTORY);
    const own: Alertmanager = { name: 'own-alertmanager', port: ALERTMANAGER_PORT + 1, configuration, credentials };
    const { argv, namespace, environment } = alertmanagerCommand(SYSTEM_LAB_DIRECTORY, own);
    const [program = '', ...rest] = commandOn(lab, namespace, argv);
    const child = spawn(program, rest, { env: { ...process.env, ...environment }, stdio: 'ignore' });
    const stop = async () => {
      sendAlertsTo(SYSTEM_LAB_DIRECTORY, [ALERTMANAGER_PORT]);
      await ended(child);
    };
    try {
      sendAlertsTo(SYSTEM_LAB_DIRECTORY, [own.port]);
      await waitFor('Prometheus sends alerts to it alone', 30, async () => {
        const answer = await fetch(new URL('/api/v1/alertmanagers', lab.prometheusUrl));
        const { data } = (await answer.json()) as { data: { activeAlertmanagers: { url: string }[] } };
        const urls = data.activeAlertmanagers.map(({ url }) => url);
        return urls.length === 1 && urls[0]?.includes(`:${own.port}/`) ? undefined : urls.join();
      });
      return stop;
    } catch (error) {
      await stop();
      throw error;
    }
  }
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGTERM');
  await exit;
}
