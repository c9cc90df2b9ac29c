import { defineConfig } from 'vitest/config';
import { BaseSequencer, type TestSpecification } from 'vitest/node';
import { SYSTEM_LAB_DIRECTORY } from './test/system/directory.ts';

/** Files in the order of their names, the same on every machine: the last one takes the lab's control plane away. */
class ByName extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return [...files].sort((a, b) => a.moduleId.localeCompare(b.moduleId));
  }
}

/**
 * `unit` needs nothing but Node. `host` (the host program), `guest` (the same on a kernel of its own), `lab` (the lab's
 * own parts) and `system` (the deployed system in a lab) need Linux, root and network namespaces.
 */
export default defineConfig({
  test: {
    sequence: { sequencer: ByName },
    projects: [
      {
        test: {
          name: 'unit',
          include: ['test/{functions,lib,bench}/**/*.test.ts'],
          testTimeout: 30_000,
          // One module cache for all files: the CDK library alone takes seconds to load.
          isolate: false,
          env: { POWERTOOLS_LOG_LEVEL: 'SILENT' },
        },
      },
      {
        test: {
          name: 'host',
          include: ['test/host/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'guest',
          include: ['test/guest/**/*.test.ts'],
          // A guest kernel has one processor: two processes have one each, and all files of a process share it.
          isolate: false,
          maxWorkers: 2,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'lab',
          include: ['test/lab/**/*.test.ts'],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'system',
          include: ['test/system/**/*.test.ts'],
          globalSetup: ['test/system/set-up.ts'],
          env: { LAB_DIRECTORY: SYSTEM_LAB_DIRECTORY },
          testTimeout: 180_000,
          hookTimeout: 180_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
