import { loadConfiguration } from '../aws/configuration.ts';
import { killSwitches } from '../aws/wiring.ts';
import { route } from './answer.ts';
import { getKillSwitch } from './get-kill-switch.ts';

const clusters = Object.keys(loadConfiguration().clusters);
const dependencies = { switches: killSwitches() };

export const handler = route(
  (event) => {
    const cluster = event.queryStringParameters?.cluster;
    return getKillSwitch(cluster === undefined ? clusters : [cluster], dependencies);
  },
  { cluster: clusters },
);
