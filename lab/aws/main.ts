/**
 * The AWS side of the lab as one process: reads the synthesized app, listens, deploys, and writes `aws.json` when it
 * is ready. Started by the lab's first process in the root network namespace with LAB_DIRECTORY.
 */
import { readFileSync, rmSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { Server } from 'node:net';
import { join } from 'node:path';
import { z } from 'zod';
import { FLEET_HOSTS } from '../fleet/fleet.ts';
import { hostPower } from '../fleet/host-power.ts';
import { LAB_FILES, noteViolation, OWN_FILES, writeJson } from '../shared/files.ts';
import { inNetworkOf } from '../shared/namespaces.ts';
import { LAB_PACKAGES, pythonPackages } from '../shared/python-packages.ts';
import {
  ACCOUNT_ID,
  AWS_DATA_ADDRESS,
  AWS_HOST_NAME,
  AWS_MANAGEMENT_ADDRESS,
  AWS_PORT,
  addressesOf,
  FUNCTIONS_NAMESPACE,
  LAMBDA_NETWORK,
  PROMETHEUS_URL,
  REGION,
  SERVICES,
  WORKSPACE_ID,
} from '../shared/topology.ts';
import { readModels } from './referee/model.ts';
import { createSystem } from './system.ts';
import { readTemplate } from './template/template.ts';

const directory = process.env.LAB_DIRECTORY;
if (directory === undefined) throw new Error('LAB_DIRECTORY: absolute path of the lab directory');
const file = (name: keyof typeof LAB_FILES): string => join(directory, LAB_FILES[name]);

rmSync(file('awsReady'), { force: true });
rmSync(join(directory, OWN_FILES.violations), { force: true });
const template = readTemplate(file('cdkOut'), { accountId: ACCOUNT_ID, region: REGION });
const tokens = z
  .record(z.string(), z.string())
  .parse(JSON.parse(readFileSync(join(directory, OWN_FILES.agents), 'utf8')));
const system = createSystem({
  template,
  hosts: FLEET_HOSTS,
  power: hostPower(directory),
  agentTokens: new Map(Object.entries(tokens)),
  secretsFile: file('secrets'),
  workspaces: new Map([[WORKSPACE_ID, PROMETHEUS_URL]]),
  objectsDirectory: file('objects'),
  models: readModels(pythonPackages(LAB_PACKAGES)),
  vpcAddresses: {
    functions: SERVICES.filter(({ name }) => name === FUNCTIONS_NAMESPACE).flatMap(addressesOf),
    hosts: FLEET_HOSTS.flatMap(addressesOf),
  },
  onViolation: (violation) => noteViolation(directory, violation),
  nowMs: Date.now,
  seam: {
    endpoint: `https://${AWS_HOST_NAME}`,
    caFile: file('caFile'),
    logDirectory: join(directory, OWN_FILES.log),
    enterVpc: inNetworkOf(FUNCTIONS_NAMESPACE),
    enterWithoutVpc: inNetworkOf(LAMBDA_NETWORK.name),
  },
});

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    system.stop();
    process.exit(0);
  });
}
process.on('exit', () => system.stop());

await system.createTables();
const tls = { cert: readFileSync(file('serverCertificate')), key: readFileSync(file('serverKey')) };
/** Clients keep connections open between polls; Node's 5 s would close them under the next request. */
const KEEP_ALIVE_MS = 75_000;
const front = (): Server => createHttpsServer({ ...tls, keepAliveTimeout: KEEP_ALIVE_MS }, system.front);
for (const socket of [file('awsSocket'), file('controlSocket')]) rmSync(socket, { force: true });
await Promise.all([
  listen(front(), AWS_PORT, AWS_MANAGEMENT_ADDRESS),
  listen(front(), AWS_PORT, AWS_DATA_ADDRESS),
  listen(front(), AWS_PORT, LAMBDA_NETWORK.awsAddress),
  listen(front(), file('awsSocket')),
  listen(createHttpServer(system.control), file('controlSocket')),
]);
await system.deploy();

const ready = {
  pid: process.pid,
  apiPath: `/${system.api?.stage ?? ''}`,
  operator: system.operator,
  administrator: system.administrator,
  alertmanager: system.alertmanager,
  ...(system.amp && { amp: system.amp }),
  functions: Object.fromEntries(
    template.ofType('AWS::Lambda::Function').map(({ logicalId, name }) => [logicalId, name]),
  ),
  tables: system.dynamoDb.tableNames,
  documents: [...system.ssm.documents.keys()],
  stateMachineArn: system.stepFunctions.stateMachineArns[0],
};
writeJson(file('awsReady'), ready);

function listen(server: Server, ...where: [number, string] | [string]): Promise<void> {
  return new Promise((done, fail) => {
    server.once('error', fail);
    const [portOrPath, host] = where;
    if (typeof portOrPath === 'string') server.listen(portOrPath, done);
    else server.listen(portOrPath, host, done);
  });
}
