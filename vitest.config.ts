import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { SYSTEM_LAB_DIRECTORY } from './test/system/directory.ts';

/** Files in the order of their names, the same on every machine: the last one takes the lab's control plane away. */
class ByName extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return [...files].sort((a, b) => a.moduleId.localeCompare(b.moduleId));
  }
}

/** Needs nothing but Node. */
function unit(name: string, include: string[], exclude: string[]) {
  return {
    test: {
      name,
      include,
      exclude,
      testTimeout: 30_000,
      // One module cache for all files of a process: the CDK library alone takes seconds to load.
      isolate: false,
      // Both processors of a small machine: the default leaves one free.
      maxWorkers: 2,
      setupFiles: ['test/lib/property-runs.ts', 'test/functions/domain/abandon-sleepers.ts'],
      env: {
        POWERTOOLS_LOG_LEVEL: 'SILENT',
        // CDK's own check of a template takes longer than all else of a synthesis. test/lint-template.ts and every lab have it for
        // the lab's configuration; the nightly run, here, for what is tested with another choice.
        ...(process.env.PROPERTY_RUNS ? {} : { CDK_VALIDATION: 'false' }),
      },
    },
  };
}

/** One process runs many files: what it has started for its hosts serves them all. */
const NAMESPACES = { isolate: false, testTimeout: 60_000, hookTimeout: 60_000 };

/** Each test waits in namespaces of its own: three processes share two processors. */
function host(name: string, files: string) {
  return { test: { ...NAMESPACES, name, include: [files], maxWorkers: 3 } };
}

/** A guest kernel has one processor: two processes have one each, and all files of a process share it. */
function guest(name: string, files: string) {
  return { test: { ...NAMESPACES, name, include: [files], maxWorkers: 2 } };
}

/** The deployed system in a lab, one for all files. */
function system(name: string, files: string, setUp = 'test/system/set-up-redis.ts') {
  return {
    test: {
      name,
      include: [files],
      globalSetup: [setUp],
      setupFiles: ['test/system/expect-no-violation.ts'],
      env: { LAB_DIRECTORY: SYSTEM_LAB_DIRECTORY },
      testTimeout: 180_000,
      hookTimeout: 180_000,
      fileParallelism: false,
    },
  };
}

/** Unit tests that have a store lie to its probe, or write down what one saw of it. */
const JUDGED_TWICE = [
  'test/functions/domain/{value,record}-account.test.ts',
  'test/functions/probe/{loss-checker,probe}.test.ts',
  'test/functions/engines/{cassandra,kafka}/probe.test.ts',
];

/**
 * `unit` needs nothing but Node. `host` (the host program), `guest` (the same on a kernel of its own), `lab` (the lab's
 * own parts) and `system` (the deployed system in a lab) need Linux, root and network namespaces. `npm test` runs them; what
 * is called exhaustive holds the cases that take long and add no promise, for `npm run test:exhaustive`.
 */
export default defineConfig({
  test: {
    sequence: { sequencer: ByName },
    projects: [
      unit('unit', ['test/{functions,lib,cli,bench,decisions}/**/*.test.ts'], ['**/exhaustive/**']),
      unit('unit-exhaustive', ['test/{functions,lib}/**/exhaustive/*.test.ts'], []),
      {
        test: {
          name: 'histories',
          include: [...JUDGED_TWICE, 'test/histories/*.test.ts'],
          setupFiles: ['test/lib/property-runs.ts', 'test/histories/judge-twice.ts'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
          maxWorkers: 2,
        },
      },
      host('host', 'test/host/*.test.ts'),
      host('host-exhaustive', 'test/host/exhaustive/*.test.ts'),
      // They measure rates and processor time.
      { test: { ...NAMESPACES, name: 'host-alone', include: ['test/host/alone/*.test.ts'], fileParallelism: false } },
      guest('guest', 'test/guest/*.test.ts'),
      guest('guest-exhaustive', 'test/guest/exhaustive/*.test.ts'),
      {
        test: {
          name: 'lab',
          include: ['test/lab/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          fileParallelism: false,
        },
      },
      system('system', 'test/system/*.test.ts'),
      system('system-exhaustive', 'test/system/exhaustive/*.test.ts'),
      system('system-nightly', 'test/system/nightly/*.test.ts'),
      system('system-kafka', 'test/system/kafka/*.test.ts', 'test/system/kafka/set-up.ts'),
      system('system-kafka-nightly', 'test/system/kafka/nightly/*.test.ts', 'test/system/kafka/nightly/set-up.ts'),
      system('system-cassandra', 'test/system/cassandra/*.test.ts', 'test/system/cassandra/set-up.ts'),
      system('system-engines', 'test/system/engines/*.test.ts', 'test/system/engines/set-up.ts'),
      system('system-cassandra-nightly', 'test/system/cassandra/nightly/*.test.ts', 'test/system/cassandra/set-up.ts'),
    ],
  },
});
