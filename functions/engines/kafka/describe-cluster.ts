import { createAPI, type Reader, ResponseError, Writer } from '@platformatic/kafka';

/** DescribeCluster, version 2 (Kafka 4.0): as the library's version 1, with brokers that are fenced. */
export interface ClusterDescription {
  errorCode: number;
  brokers: { brokerId: number; host: string; port: number; isFenced: boolean }[];
}

const API_KEY = 60;
const VERSION = 2;
const OF_BROKERS = 1;

function createRequest(): Writer {
  const includesAuthorizedOperations = false;
  const includesFencedBrokers = true;
  return Writer.create()
    .appendBoolean(includesAuthorizedOperations)
    .appendInt8(OF_BROKERS)
    .appendBoolean(includesFencedBrokers)
    .appendTaggedFields();
}

function parseResponse(_correlationId: number, apiKey: number, apiVersion: number, reader: Reader): ClusterDescription {
  reader.readInt32(); // throttleTimeMs
  const errorCode = reader.readInt16();
  const errorMessage = reader.readNullableString();
  reader.readInt8(); // endpointType
  reader.readString(); // clusterId
  reader.readInt32(); // controllerId: in KRaft any broker
  const brokers = reader.readArray((each) => {
    const broker = { brokerId: each.readInt32(), host: each.readString(), port: each.readInt32() };
    each.readNullableString(); // rack
    return { ...broker, isFenced: each.readBoolean() };
  });
  reader.readInt32(); // authorizedOperations
  reader.readTaggedFields();
  const response = { errorCode, brokers };
  if (errorCode !== 0) throw new ResponseError(apiKey, apiVersion, { '/': [errorCode, errorMessage] }, response);
  return response;
}

export const describeClusterV2 = createAPI<[], ClusterDescription>(API_KEY, VERSION, createRequest, parseResponse);
