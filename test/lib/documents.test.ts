import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { HOST_FAULT_KINDS, hostKindOf, scriptName } from '../../functions/domain/faults/catalogue.ts';
import { ROLL_BACK_DOCUMENT } from '../../functions/domain/names.ts';
import { LEASE_GRACE_SECONDS, TTL_SECONDS } from '../../functions/domain/timing.ts';
import { documents, mappings, named, scriptOf } from './deployed-documents.ts';
import { ofType, resources, template } from './synthesized.ts';

/**
 * Systems Manager takes 64 KB, and CloudFormation 1 MB: with room for what a next version adds. What a fence needs is a
 * sixth of a program, and no packing brings a document that has it below 40,000 bytes; what delays packets
 * without netem is a tenth more. A fifth stays free.
 */
const [MAX_DOCUMENT_BYTES, MAX_FENCED_DOCUMENT_BYTES, MAX_TEMPLATE_BYTES] = [42_000, 52_000, 500_000];
/** What CloudFormation takes. */
const [MAX_ATTRIBUTES, MAX_VALUE_BYTES] = [200, 1024];

const sizeOf = (name: string) => Buffer.byteLength(JSON.stringify(named(name)));
const accepts = (document: string, parameter: string, value: string) =>
  new RegExp(named(document).parameters[parameter]?.allowedPattern ?? '(?!)').test(value);

describe('documents', () => {
  it('are one a fault kind of the hosts and one for the rollback', () => {
    const names = [...HOST_FAULT_KINDS.map(scriptName), ROLL_BACK_DOCUMENT].sort();
    expect([...documents.keys()].sort()).toEqual(names.map((name) => `Holdfast-Holdfast-${name}`));
  });

  it('stay well under what Systems Manager and CloudFormation take', () => {
    for (const kind of HOST_FAULT_KINDS) {
      const most = hostKindOf(kind).fence ? MAX_FENCED_DOCUMENT_BYTES : MAX_DOCUMENT_BYTES;
      expect(sizeOf(scriptName(kind)), kind).toBeLessThanOrEqual(most);
    }
    expect(sizeOf(ROLL_BACK_DOCUMENT)).toBeLessThanOrEqual(MAX_DOCUMENT_BYTES);
    expect(Buffer.byteLength(JSON.stringify(template.toJSON()))).toBeLessThanOrEqual(MAX_TEMPLATE_BYTES);
  });

  it('share lines in mappings that CloudFormation takes', () => {
    const tables = Object.values(mappings).flatMap((mapping) => Object.entries(mapping));
    expect(tables.length).toBeGreaterThan(0);
    for (const [key, attributes] of tables) {
      expect(Object.keys(attributes).length).toBeLessThanOrEqual(MAX_ATTRIBUTES);
      for (const name of [key, ...Object.keys(attributes)]) expect(name).toMatch(/^[A-Za-z0-9]+$/);
      for (const value of Object.values(attributes))
        expect(Buffer.byteLength(value)).toBeLessThanOrEqual(MAX_VALUE_BYTES);
    }
    for (const [name, content] of documents)
      for (const line of scriptOf(content)) expect(line, name).toEqual(expect.any(String));
  });

  it('never paste a parameter into a script', () => {
    for (const [name, content] of documents) {
      expect(JSON.stringify(content), name).not.toContain('{{');
      for (const [parameter, definition] of Object.entries(content.parameters)) {
        expect(definition, parameter).toMatchObject({ type: 'String', interpolationType: 'ENV_VAR' });
        expect(definition.allowedPattern, parameter).toMatch(/^\^.*\$$/);
      }
    }
  });

  it('use patterns that both Java and RE2 compile', () => {
    for (const content of documents.values()) {
      for (const { allowedPattern } of Object.values(content.parameters)) {
        expect(() => new RegExp(allowedPattern)).not.toThrow();
        // RE2 has no look-around, back-references or possessive repetition, and no count above 1000 even when nested.
        expect(allowedPattern).not.toMatch(/\(\?|\\[1-9]|[*+?}]\+/);
        for (const [, inner = '', outer = '0'] of allowedPattern.matchAll(/\(([^()]*)\)\{\d+,(\d+)\}/g)) {
          const counts = [...inner.matchAll(/\{\d+,(\d+)\}/g)].map(([, count = '0']) => Number(count));
          expect(Math.max(1, ...counts) * Number(outer)).toBeLessThanOrEqual(1000);
        }
        for (const [, count = '0'] of allowedPattern.matchAll(/\{\d+,(\d+)\}/g))
          expect(Number(count)).toBeLessThanOrEqual(1000);
      }
    }
  });

  it('refuse a TTL beyond the longest, an endless grace and anything a shell could read as more than a value', () => {
    const { max } = TTL_SECONDS;
    for (const good of ['1', '60', `${max - 1}`, `${max}`])
      expect(accepts('process-kill', 'ttlSeconds', good)).toBe(true);
    for (const bad of ['0', `${max + 1}`, `${10 * max}`, '', '60;reboot', '-1'])
      expect(accepts('process-kill', 'ttlSeconds', bad)).toBe(false);
    expect(accepts('process-kill', 'leaseGraceSeconds', `${LEASE_GRACE_SECONDS.max + 1}`)).toBe(false);
    expect(accepts('network-partition', 'peerAddresses', '10.77.0.11,fd00::11')).toBe(true);
    for (const bad of ['10.0.0.0/8', '', '10.0.0.1;id', '$(id)', '10.0.0.1\n10.0.0.2']) {
      expect(accepts('network-partition', 'peerAddresses', bad), bad).toBe(false);
    }
    expect(accepts('network-partition', 'fenceSentinels', '10.77.0.11:26379,[fd00::1]:26379')).toBe(true);
    for (const good of ['', '6379', '6379,26379']) expect(accepts('network-partition', 'ports', good)).toBe(true);
    for (const bad of ['0', '6379,', '1-9', '6379;id', '1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16'])
      expect(accepts('network-partition', 'ports', bad), bad).toBe(false);
    for (const good of ['-240000', '500']) expect(accepts('clock-drift', 'offsetMs', good)).toBe(true);
    for (const bad of ['0', '-0', '+5', '1e3', '', '5 5'])
      expect(accepts('clock-drift', 'offsetMs', bad), bad).toBe(false);
    for (const bad of ['..', 'data', '/data dir', '/data;id', '/$(id)', '']) {
      expect(accepts('disk-full', 'dataDirectory', bad), bad).toBe(false);
    }
    for (const bad of ['0', '17', '-1', '1.5']) expect(accepts('disk-io', 'workers', bad), bad).toBe(false);
    expect(accepts('network-partition', 'fenceSentinels', '')).toBe(true);
    expect(accepts('network-partition', 'fenceCredentialsFile', '/etc/holdfast/store.json')).toBe(true);
    expect(accepts('network-partition', 'fenceCredentialsFile', 'store.json')).toBe(false);
    expect(accepts('network-partition', 'fenceServerNames', 'a-1.redis.example,a-2.redis.example')).toBe(true);
    for (const bad of ['a,', 'a b', '$(id)', '*.redis.example'])
      expect(accepts('network-partition', 'fenceServerNames', bad), bad).toBe(false);
    expect(accepts('roll-back', 'verb', 'inject')).toBe(false);
    for (const kind of HOST_FAULT_KINDS) {
      expect(accepts(scriptName(kind), 'fence', 'none')).toBe(true);
      expect(accepts(scriptName(kind), 'fence', 'redis')).toBe(hostKindOf(kind).fence);
    }
    expect(accepts('process-kill', 'faultId', 'exp_chaos_redis_019.1')).toBe(true);
    expect(accepts('process-kill', 'experimentId', 'a'.repeat(51))).toBe(false);
  });

  it('name the table of the leases themselves, so that no sender can choose another one', () => {
    const [leaseTable] = ofType('AWS::DynamoDB::Table').find(([id]) => id.startsWith('LeaseTable')) ?? [];
    for (const [name, content] of documents) {
      const own = name.endsWith('roll-back') ? [] : [`export HOLDFAST_LEASE_TABLE=Ref:${leaseTable}`];
      expect(
        scriptOf(content).filter((line) => line.includes('HOLDFAST_LEASE_TABLE=')),
        name,
      ).toEqual(own);
      expect(scriptOf(content)[0], name).toBe('#!/bin/bash');
      expect(Object.keys(content.parameters), name).not.toContain('leaseTable');
    }
  });

  it('tell the host what the names of AWS’s endpoints end with in its partition', () => {
    for (const [name, content] of documents) {
      const lines = scriptOf(content).filter((line) => line.includes('HOLDFAST_URL_SUFFIX='));
      expect(lines, name).toEqual(name.endsWith('roll-back') ? [] : ['export HOLDFAST_URL_SUFFIX=Ref:AWS::URLSuffix']);
    }
    const ask = `import sys; sys.path.insert(0, 'host'); import lease_table; print(lease_table.endpoint('cn-north-1').hostname)`;
    const env = { PATH: process.env.PATH, HOLDFAST_URL_SUFFIX: 'amazonaws.com.cn' };
    expect(execFileSync('/usr/bin/python3', ['-I', '-B', '-c', ask], { env, encoding: 'utf8' }).trim()).toBe(
      'dynamodb.cn-north-1.amazonaws.com.cn',
    );
  });

  it('fix the name of no partition: endpoints elsewhere end in something else', () => {
    const allowed =
      /["/](lambda|aps|scheduler|fis|states|events|sns|cloudwatch|delivery\.logs|apigateway)\.amazonaws\.com/g;
    const rest = JSON.stringify(resources).replaceAll('\\"', '"').replace(allowed, '');
    expect([...rest.matchAll(/.{60}amazonaws\.com.{10}/g)].map(([found]) => found)).toEqual([]);
    // Those that the lab's configuration gives are its own.
    expect(
      [
        ...JSON.stringify(resources).matchAll(
          /arn:aws:(?!iam::111122223333:user|kms:eu-west-1:111122223333:key|s3:::lab-audit-archive).{60}/g,
        ),
      ].map(([found]) => found),
    ).toEqual([]);
  });

  it('say where to read what they do to a host', () => {
    for (const content of documents.values()) {
      expect(scriptOf(content)).toContainEqual(expect.stringMatching(/^# .*host\/.* ls \/run\/holdfast\/program/));
    }
  });
});
