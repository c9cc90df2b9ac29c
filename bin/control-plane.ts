import { App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { ConfigurationError } from '../functions/engines/configuration.ts';
import { ControlPlaneStack } from '../lib/control-plane-stack.ts';
import { loadConfiguration } from '../lib/load-configuration.ts';

/** `HOLDFAST_CONFIG` names the configuration; without it, `holdfast.config.ts` in the working directory. */
const loaded = await loadConfiguration(process.env.HOLDFAST_CONFIG ?? 'holdfast.config.ts').catch((error: unknown) => {
  if (!(error instanceof ConfigurationError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
});
const { CDK_DEFAULT_ACCOUNT: account, CDK_DEFAULT_REGION: region } = process.env;

const app = new App();
new ControlPlaneStack(app, 'Holdfast', {
  ...loaded,
  ...(account && region ? { env: { account, region } } : {}),
});
Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
app.synth();
