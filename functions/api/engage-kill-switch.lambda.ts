import { fisClient } from '../aws/clients.ts';
import { loadConfiguration } from '../aws/configuration.ts';
import { safetyLeverOf } from '../aws/fis/safety-lever.ts';
import { auditLog, hostCommands, killSwitches, leases, locks } from '../aws/wiring.ts';
import { ENVIRONMENT, ROLL_BACK_DOCUMENT } from '../domain/names.ts';
import { environmentVariable } from '../runtime/environment.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { bodyOf, callerOf, refuseContent, route } from './answer.ts';
import { engageKillSwitch } from './engage-kill-switch.ts';
import { reasonOfBody } from './kill-switch-request.ts';

const { clusters, killSwitch } = loadConfiguration();
const dependencies = {
  switches: killSwitches(),
  leases: leases(),
  locks: locks(),
  audit: auditLog('event'),
  hosts: hostCommands(),
  lever: killSwitch.fisSafetyLever ? safetyLeverOf(fisClient(), environmentVariable(ENVIRONMENT.stackName)) : undefined,
  clock: systemClock,
  document: `${environmentVariable(ENVIRONMENT.documentPrefix)}${ROLL_BACK_DOCUMENT}`,
};

export const handler = route(
  async (event) => {
    const refused = refuseContent(event);
    if (refused) return refused;
    const reason = reasonOfBody(bodyOf(event));
    if (!reason.ok) return reason.answer;
    const cluster = event.queryStringParameters?.cluster;
    return engageKillSwitch({ cluster, reason: reason.value, caller: callerOf(event) }, dependencies);
  },
  { cluster: Object.keys(clusters) },
);
