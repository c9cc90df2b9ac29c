import { fisClient } from '../aws/clients.ts';
import { loadConfiguration } from '../aws/configuration.ts';
import { safetyLeverOf } from '../aws/fis/safety-lever.ts';
import { auditLog, killSwitches, locks } from '../aws/wiring.ts';
import { ENVIRONMENT } from '../domain/names.ts';
import { environmentVariable } from '../runtime/environment.ts';
import { systemClock } from '../runtime/system-clock.ts';
import { callerOf, route } from './answer.ts';
import { reasonOfQuery } from './kill-switch-request.ts';
import { reArmKillSwitch } from './re-arm-kill-switch.ts';

const { clusters, killSwitch } = loadConfiguration();
const dependencies = {
  principals: killSwitch.reArmPrincipals,
  switches: killSwitches(),
  locks: locks(),
  audit: auditLog('event'),
  lever: killSwitch.fisSafetyLever ? safetyLeverOf(fisClient(), environmentVariable(ENVIRONMENT.stackName)) : undefined,
  clock: systemClock,
};

export const handler = route(
  async (event) => {
    const { cluster, reason: said } = event.queryStringParameters ?? {};
    const reason = reasonOfQuery(said);
    if (!reason.ok) return reason.answer;
    return reArmKillSwitch({ cluster, reason: reason.value, caller: callerOf(event) }, dependencies);
  },
  { cluster: Object.keys(clusters), reason: 'any' },
);
