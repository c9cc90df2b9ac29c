import { Construct } from 'constructs';
import { FUNCTION_SECONDS, PROBE_EVENT_AGE_SECONDS } from '../functions/domain/timing.ts';
import { describeScalingGroups, openStoresDuringFaults } from './capability.ts';
import { ControlFunction, type ControlFunctionProps, type FunctionNetwork } from './control-function.ts';
import type { ControlPlaneContext } from './control-plane-context.ts';

/** What all functions share; a function names only what is its own. */
type OwnProps = Omit<ControlFunctionProps, 'configuration' | 'configurationFile' | 'network'>;

/** The Lambdas of the state machine, in the order in which they run. */
export class ExperimentSteps extends Construct {
  readonly awaitStart: ControlFunction;
  readonly checkSteadyState: ControlFunction;
  readonly resolveTargets: ControlFunction;
  readonly checkTargets: ControlFunction;
  readonly guard: ControlFunction;
  readonly probe: ControlFunction;
  readonly injectFault: ControlFunction;
  readonly rollBack: ControlFunction;
  readonly verifyRecovery: ControlFunction;
  readonly concludeExperiment: ControlFunction;

  constructor(scope: Construct, id: string, context: ControlPlaneContext) {
    super(scope, id);
    const { leases, audit, locks, records, documents, fis, stores, network, instances, alarms } = context;
    const { telemetry, alertingRules } = context;
    const asksStores = openStoresDuringFaults(this, Object.values(context.configuration.clusters), instances);
    // Only a guard that looks for cascades has a hand on the switch.
    const cascade = context.configuration.killSwitch.cascade ? [leases.engageKillSwitch(), locks.list()] : [];
    const make = (name: string, props: OwnProps, functionNetwork?: FunctionNetwork) =>
      new ControlFunction(this, name, {
        ...props,
        configuration: context.configuration,
        configurationFile: context.configurationFile,
        network: functionNetwork,
      });

    this.awaitStart = make('AwaitStart', {
      entry: 'admission/await-start.lambda.ts',
      description: 'Until the announced start; then admits once more, because much may have changed.',
      capabilities: [audit.read(), leases.read(), context.admission.ask()],
      timeoutSeconds: FUNCTION_SECONDS.awaitStart,
    });
    this.checkSteadyState = make(
      'CheckSteadyState',
      {
        entry: 'guard/check-steady-state.lambda.ts',
        description: 'Baseline of the last 60 s, guardrails, alarms and store health before a fault.',
        capabilities: [audit.append(), stores, telemetry, alertingRules, instances, alarms],
        timeoutSeconds: FUNCTION_SECONDS.checkSteadyState,
      },
      network,
    );
    this.resolveTargets = make(
      'ResolveTargets',
      {
        entry: 'inject/resolve-targets.lambda.ts',
        description: 'Names to instances, addresses and roles, at the moment of injection.',
        capabilities: [audit.append(), stores, instances, fis.lookAround(), describeScalingGroups()],
        timeoutSeconds: FUNCTION_SECONDS.short,
      },
      network,
    );
    this.checkTargets = make(
      'CheckTargets',
      {
        entry: 'inject/check-targets.lambda.ts',
        description: 'Before each later batch: are the targets where they were, and do the limits still hold?',
        capabilities: [audit.append(), stores, instances, describeScalingGroups()],
        timeoutSeconds: FUNCTION_SECONDS.short,
      },
      network,
    );
    this.guard = make(
      'Guard',
      {
        entry: 'guard/guard.lambda.ts',
        description: 'Reads the guardrails every second and renews the lease; without it every fault ends.',
        capabilities: [
          leases.read(),
          leases.update(),
          audit.append(),
          fis.heartbeat(),
          telemetry,
          ...asksStores,
          ...cascade,
        ],
        timeoutSeconds: FUNCTION_SECONDS.guard,
        memoryMib: 1024,
        reservedConcurrency: 10,
      },
      network,
    );
    this.probe = make(
      'Probe',
      {
        entry: 'probe/probe.lambda.ts',
        description: 'Writes and reads as a client does, and measures recovery time and lost writes.',
        capabilities: [audit.append(), stores, telemetry],
        timeoutSeconds: FUNCTION_SECONDS.probe,
        asyncMaxAgeSeconds: PROBE_EVENT_AGE_SECONDS,
        memoryMib: 1024,
      },
      network,
    );
    this.injectFault = make('InjectFault', {
      entry: 'inject/inject-fault.lambda.ts',
      description: 'Grants the lease to the targets and arms their watchdogs.',
      capabilities: [leases.read(), leases.update(), audit.append(), documents.inject(), fis.inject()],
      timeoutSeconds: FUNCTION_SECONDS.inject,
    });
    this.rollBack = make('RollBack', {
      entry: 'rollback/roll-back.lambda.ts',
      description: 'The one rollback: release the lease, revert every host, stop what runs in FIS, verify.',
      capabilities: [leases.read(), leases.update(), audit.append(), documents.rollBack(), fis.rollBack()],
      timeoutSeconds: FUNCTION_SECONDS.rollBack,
      reservedConcurrency: 10,
    });
    this.verifyRecovery = make(
      'VerifyRecovery',
      {
        entry: 'rollback/verify-recovery.lambda.ts',
        description:
          'A clean host is not a healthy store: waits for the store, then reads what the guardrails showed meanwhile.',
        capabilities: [audit.append(), stores, telemetry, alertingRules, instances, documents.startStore()],
        timeoutSeconds: FUNCTION_SECONDS.verifyRecovery,
        reservedConcurrency: 5,
      },
      network,
    );
    this.concludeExperiment = make('ConcludeExperiment', {
      entry: 'verdict/conclude-experiment.lambda.ts',
      description: 'Budgets, records, the last audit entry, then the locks.',
      capabilities: [audit.append(), records.write(), locks.free()],
      timeoutSeconds: FUNCTION_SECONDS.conclude,
      reservedConcurrency: 5,
    });
  }
}
