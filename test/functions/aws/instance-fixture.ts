import type { Instance } from '@aws-sdk/client-ec2';

/** As EC2 describes it, with two interfaces, its root volume and one for data. */
export const instance = (number: number, name = `redis-node-${number}`): Instance => ({
  InstanceId: `i-${number}`,
  PrivateIpAddress: `10.77.0.1${number}`,
  Placement: { AvailabilityZone: 'eu-west-1a' },
  SubnetId: 'subnet-a',
  RootDeviceName: '/dev/xvda',
  BlockDeviceMappings: [
    { DeviceName: '/dev/xvda', Ebs: { VolumeId: `vol-root-${number}` } },
    { DeviceName: '/dev/sdf', Ebs: { VolumeId: `vol-data-${number}` } },
    { DeviceName: '/dev/sdg' },
  ],
  Tags: [{ Key: 'Name', Value: name }],
  NetworkInterfaces: [
    {
      PrivateIpAddresses: [{ PrivateIpAddress: `10.77.0.1${number}` }],
      Ipv6Addresses: [{ Ipv6Address: `fd00::${number}` }],
    },
    { PrivateIpAddresses: [{ PrivateIpAddress: `10.78.0.1${number}` }] },
  ],
});
