import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { connectionFrom } from '../../cli/connection.ts';
import { UsageError } from '../../cli/exit-codes.ts';
import { LAB_FILE } from '../../cli/lab-file.ts';

const directory = mkdtempSync(join(tmpdir(), 'holdfast-connection-'));
afterAll(() => rmSync(directory, { recursive: true }));
const HOST = 'https://abc123.execute-api.eu-west-1.amazonaws.com/api';

describe('the region is', () => {
  const regionOf = (url: string, region?: string, environment = {}) =>
    connectionFrom({ url, ...(region === undefined ? {} : { region }) }, environment).region;

  test('that of the host name, which knows it for certain', () => {
    expect(regionOf(HOST, undefined, { AWS_REGION: 'us-east-1' })).toBe('eu-west-1');
    expect(regionOf('https://vpce-1-a.execute-api.us-gov-west-1.vpce.amazonaws.com/api')).toBe('us-gov-west-1');
    expect(regionOf('https://abc123.execute-api.cn-north-1.amazonaws.com.cn/api')).toBe('cn-north-1');
    expect(regionOf('https://abc123.execute-api.eu-west-3.api.aws/api')).toBe('eu-west-3');
    expect(() => regionOf(HOST, 'us-east-1')).toThrow('--region us-east-1: the API is in eu-west-1');
  });

  test('what is given, else what the environment says, where the host name does not tell it', () => {
    const environment = { AWS_REGION: 'us-east-1', AWS_DEFAULT_REGION: 'us-east-2' };
    expect(regionOf('https://chaos.example.com', 'eu-north-1', environment)).toBe('eu-north-1');
    expect(regionOf('https://chaos.example.com', undefined, environment)).toBe('us-east-1');
    expect(regionOf('https://chaos.example.com', undefined, { AWS_DEFAULT_REGION: 'us-east-2' })).toBe('us-east-2');
    expect(() => regionOf('https://chaos.example.com')).toThrow(/Give --region \(or AWS_REGION\)/);
  });
});

describe('the API', () => {
  test('is that of --url, else that of HOLDFAST_URL, else asked for', () => {
    expect(connectionFrom({}, { HOLDFAST_URL: HOST }).apiUrl).toBe(HOST);
    expect(connectionFrom({ url: HOST }, { HOLDFAST_URL: 'https://other' }).apiUrl).toBe(HOST);
    expect(() => connectionFrom({}, {})).toThrow(/--url \(or HOLDFAST_URL\).*--lab/);
  });

  test('must be a URL that keeps what is sent from others', () => {
    const environment = { AWS_REGION: 'eu-west-1' };
    for (const url of ['api', 'https://user@host/api', 'https://host/api?x=1', 'https://host/#x']) {
      expect(() => connectionFrom({ url }, environment), url).toThrow(/not the URL of an API; allowed: https:/);
    }
    for (const url of ['http://chaos.example.com/api', 'ftp://host/api']) {
      expect(() => connectionFrom({ url }, environment), url).toThrow(/is not encrypted; allowed: https:/);
    }
    expect(connectionFrom({ url: 'http://127.0.0.1:8080' }, environment).apiUrl).toBe('http://127.0.0.1:8080');
  });
});

describe('a lab', () => {
  const lab = { apiUrl: 'https://127.0.0.1:1', caFile: 'ca', region: 'r', accessKeyId: 'a', secretAccessKey: 's' };

  test('is the one of the directory, of LAB_DIRECTORY, or of .lab', () => {
    writeFileSync(join(directory, LAB_FILE), JSON.stringify({ ...lab, hosts: [] }));
    const credentials = { accessKeyId: 'a', secretAccessKey: 's' };
    const connection = { apiUrl: lab.apiUrl, caFile: 'ca', region: 'r', credentials };
    expect(connectionFrom({ lab: directory }, { HOLDFAST_URL: HOST })).toEqual(connection);
    expect(connectionFrom({ lab: true }, { LAB_DIRECTORY: directory })).toEqual(connection);
    expect(() => connectionFrom({ lab: true }, { LAB_DIRECTORY: '/nowhere' })).toThrow(
      /no lab is up in \/nowhere .*up/,
    );
  });

  test('without an API, or beside an option of AWS, is refused by name', () => {
    writeFileSync(join(directory, LAB_FILE), JSON.stringify({ ...lab, apiUrl: undefined }));
    expect(() => connectionFrom({ lab: directory }, {})).toThrow(/describes no lab with an API/);
    expect(() => connectionFrom({ lab: directory, profile: 'p' }, {})).toThrow(/--profile stands beside --lab/);
    expect(() => connectionFrom({ lab: directory, url: HOST }, {})).toThrow(UsageError);
  });
});
