import { copyFileSync, globSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AssetHashType, DockerImage } from 'aws-cdk-lib';
import { type AssetCode, Code } from 'aws-cdk-lib/aws-lambda';
import { buildSync } from 'esbuild';

export const PROJECT_ROOT = fileURLToPath(new URL('..', import.meta.url));

const FUNCTIONS = join(PROJECT_ROOT, 'functions');
/** Configuration module → entry point → its bundle. */
const bundlesOf = new Map<string, Map<string, Uint8Array>>();

/**
 * The code of one function: an ES module `index.mjs` with all of its dependencies inside.
 * @param entry path below `functions/`, for example `guard/guard.lambda.ts`.
 * @param configurationFile absolute path of the module that `#configuration` becomes in the bundle.
 * @param files beside the code; paths relative to the configuration.
 * @param entries all that will be asked for with this configuration, which are bundled together; left out: every `*.lambda.ts`.
 * @throws Error with esbuild's messages when an entry point cannot be bundled, and for a file that cannot be read.
 */
export function bundle(
  entry: string,
  configurationFile: string,
  files: readonly string[] = [],
  entries?: readonly string[],
): AssetCode {
  return Code.fromAsset(PROJECT_ROOT, {
    // The sources of a bundle are all over the checkout; what counts is what came out.
    assetHashType: AssetHashType.OUTPUT,
    bundling: {
      // Never used: the local bundling below succeeds or throws.
      image: DockerImage.fromRegistry('none'),
      // Tells the assets of the one source directory apart in CDK's cache.
      command: [entry, configurationFile, ...files],
      local: {
        tryBundle: (outputDirectory) => {
          const bundles = bundlesOf.get(configurationFile) ?? bundleAll(configurationFile, entries ?? everyEntry());
          bundlesOf.set(configurationFile, bundles);
          const content = bundles.get(entry);
          if (content === undefined) throw new Error(`functions/${entry}: is no *.lambda.ts file`);
          writeFileSync(join(outputDirectory, 'index.mjs'), content);
          for (const file of files) {
            mkdirSync(dirname(join(outputDirectory, file)), { recursive: true });
            copyFileSync(join(dirname(configurationFile), file), join(outputDirectory, file));
          }
          return true;
        },
      },
    },
  });
}

function everyEntry(): string[] {
  return globSync('**/*.lambda.ts', { cwd: FUNCTIONS }).sort();
}

/** One run of esbuild for all: the entry points share most of their sources, and reading those is what takes time. */
function bundleAll(configurationFile: string, entries: readonly string[]): Map<string, Uint8Array> {
  const { outputFiles } = buildSync({
    entryPoints: entries.map((entry) => join(FUNCTIONS, entry)),
    outbase: FUNCTIONS,
    outdir: FUNCTIONS,
    write: false,
    absWorkingDir: PROJECT_ROOT,
    alias: {
      '#configuration': configurationFile,
      // As it is, it reads its WebAssembly from a file beside it, which no bundle has.
      '@platformatic/wasm-utils': '@platformatic/wasm-utils/bundled',
    },
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node24',
    mainFields: ['module', 'main'],
    minify: true,
    keepNames: true,
    logLevel: 'warning',
    banner: {
      // CommonJS dependencies call require() for Node's own modules; an ES module has none.
      js: `import{createRequire as holdfastRequire}from'node:module';const require=holdfastRequire(import.meta.url);`,
    },
  });
  return new Map(
    outputFiles.map(({ path, contents }) => [relative(FUNCTIONS, path).replace(/\.js$/, '.ts'), contents]),
  );
}
