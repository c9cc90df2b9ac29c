import { CfnOutput, Stack, type StackProps, Validations } from 'aws-cdk-lib';
import { SecurityGroup, Vpc } from 'aws-cdk-lib/aws-ec2';
import type { Construct } from 'constructs';
import type { Configuration } from '../functions/engines/configuration.ts';
import { Admission } from './admission.ts';
import { Alerts } from './alerts.ts';
import { AuditCare } from './audit-care.ts';
import { describeAlarms, describeInstances, openStores, readAlertingRules, readTelemetry } from './capability.ts';
import { ControlFunction, type FunctionNetwork } from './control-function.ts';
import type { ControlPlaneContext } from './control-plane-context.ts';
import { Dashboard } from './dashboard.ts';
import { ExperimentApi } from './experiment-api.ts';
import { ExperimentStateMachine } from './experiment-state-machine.ts';
import { ExperimentSteps } from './experiment-steps.ts';
import { FaultDocuments } from './fault-documents.ts';
import { FisAccess } from './fis-access.ts';
import { KillSwitch } from './kill-switch.ts';
import { NotificationTopics } from './notification-topics.ts';
import { Notify } from './notify.ts';
import { SafetyNet } from './safety-net.ts';
import { Schedules } from './schedules.ts';
import { AuditTable, LeaseTable, LockTable, RecordTable, ReservationTable } from './tables.ts';
import { servicesInVpc, VpcEndpoints } from './vpc-endpoints.ts';

export interface ControlPlaneStackProps extends StackProps {
  configuration: Configuration;
  /** Absolute path of the module the configuration came from; the functions carry it. */
  configurationFile: string;
}

/** The control plane: stores, documents, the experiment, the ways in, and what works when those do not. */
export class ControlPlaneStack extends Stack {
  constructor(scope: Construct, id: string, props: ControlPlaneStackProps) {
    super(scope, id, {
      description: 'Holdfast: chaos experiments that end when nobody watches.',
      // The documents carry whole programs, and CloudFormation takes templates of at most 1 MB.
      suppressTemplateIndentation: true,
      ...props,
    });
    const { configuration, configurationFile } = props;

    const leases = new LeaseTable(this, 'LeaseTable');
    const resources = {
      configuration,
      configurationFile,
      leases,
      audit: new AuditTable(this, 'AuditTable'),
      reservations: new ReservationTable(this, 'ExperimentTable'),
      locks: new LockTable(this, 'LockTable'),
      records: new RecordTable(this, 'RecordTable'),
      documents: new FaultDocuments(this, 'FaultDocuments', configuration.targetTag, leases.tableName),
      fis: new FisAccess(this, 'Fis', configuration),
      stores: openStores(this, Object.values(configuration.clusters)),
      telemetry: readTelemetry(this, Object.values(configuration.clusters)),
      alertingRules: readAlertingRules(this, Object.values(configuration.clusters)),
      instances: describeInstances(),
      alarms: describeAlarms(),
      network: this.importNetwork(configuration.network),
      topics: new NotificationTopics(this, 'Topics', configuration.notifications),
    };
    const context: ControlPlaneContext = { ...resources, admission: new Admission(this, 'Admission', resources) };

    const killSwitch = new KillSwitch(this, 'KillSwitch', context);
    const steps = new ExperimentSteps(this, 'Steps', context);
    const experiment = new ExperimentStateMachine(this, 'Workflow', steps);
    const api = new ExperimentApi(this, 'Api', context, experiment);
    killSwitch.addRoutes(api.restApi);
    const { notify } = new Notify(this, 'Notify', context);
    const safetyNet = new SafetyNet(this, 'SafetyNet', context, experiment, steps, notify);
    new AuditCare(this, 'AuditCare', context, context.topics.bySeverity.CRITICAL);

    new Dashboard(this, 'Dashboard', configuration);

    new Schedules(this, 'Schedules', context, api, context.topics.bySeverity.CRITICAL);
    const { amp, alertmanagerPrincipals } = configuration;
    if (amp || alertmanagerPrincipals.length > 0) {
      const { topic, remoteWriteUrl } = new Alerts(this, 'Alerts', context, safetyNet.alarms);
      this.output('AlertsTopicArn', topic.topicArn, 'For sns_configs of an Alertmanager.');
      if (remoteWriteUrl) this.output('RemoteWriteUrl', remoteWriteUrl, 'For remote_write of your Prometheus.');
    }

    const { endpoints, ...network } = configuration.network;
    if (endpoints) {
      const functions = this.node.findAll().filter((node) => node instanceof ControlFunction);
      new VpcEndpoints(this, 'Endpoints', { ...network, endpoints }, context.network, servicesInVpc(functions));
    }

    this.output('ApiUrl', api.restApi.url, 'Base of the API; append v1/chaos/experiments.');
    this.output(
      'HostPolicyArn',
      context.leases.hostPolicy.managedPolicyArn,
      'Attach to the targets instance profiles.',
    );
    const { INFO, WARNING, CRITICAL } = context.topics.bySeverity;
    this.output('OperatorsTopicArn', CRITICAL.topicArn, 'CRITICAL: subscribe whoever must hear of a failed rollback.');
    this.output('WarningTopicArn', WARNING.topicArn, 'WARNING: what was aborted, refused or did not go as expected.');
    this.output('InfoTopicArn', INFO.topicArn, 'INFO: what is announced, starts and ends.');
    this.output('StateMachineArn', experiment.stateMachine.stateMachineArn, 'Executions are named after experiments.');
    this.output('LeaseTableName', context.leases.tableName, 'Leases and the kill switch.');
    this.output('AuditTableName', context.audit.tableName, 'Append-only log.');
    this.output('ExperimentTableName', context.reservations.tableName, 'Reservations.');
    this.output('LockTableName', context.locks.tableName, 'Clusters under experiment.');
    this.output('RecordTableName', context.records.tableName, 'chaos_experiment_logs.');
  }

  /** By attributes, never by lookup: synthesis needs no account and gives the same template everywhere. */
  private importNetwork(network: Configuration['network']): FunctionNetwork {
    const vpc = Vpc.fromVpcAttributes(this, 'Vpc', {
      vpcId: network.vpcId,
      availabilityZones: network.availabilityZones,
      privateSubnetIds: network.subnetIds,
    });
    Validations.of(vpc).acknowledge({
      id: '@aws-cdk/aws-ec2:noSubnetRouteTableId',
      reason: 'Functions are placed in the subnets by id; nothing here reads or changes a route table.',
    });
    return {
      vpc,
      securityGroup: SecurityGroup.fromSecurityGroupId(this, 'SecurityGroup', network.securityGroupId, {
        mutable: false,
      }),
    };
  }

  private output(id: string, value: string, description: string): void {
    new CfnOutput(this, id, { value, description });
  }
}
