import { expectStatus, readBody } from '../answers.ts';
import { pathOf } from '../api-client.ts';
import { compareRuns } from '../compare/compare.ts';
import { asksApi, readSide, readText } from '../compare/read-side.ts';
import { renderComparison } from '../compare/render-comparison.ts';
import { EXIT } from '../exit-codes.ts';
import { type AddCommand, type ApiOptions, outputOf, type Session, withConnection, withSession } from '../program.ts';
import { type RunDocument, runSchema } from '../runs/run-document.ts';

const MORE = `
A and B are each one or several, separated by commas: the id of an experiment, or a file with the document of --json of run or
campaign (a file whose name could be an id is written ./NAME). Runs that were aborted or inconclusive are named and not
compared. With files alone no API is asked.`;

export const addCompare: AddCommand = (program, world) => {
  withConnection(
    program
      .command('compare')
      .description('two runs, or two sets of runs, measure by measure')
      .argument('<a>', 'ids and files')
      .argument('<b>', 'ids and files')
      .addHelpText('after', MORE),
  ).action(async (a: string, b: string, options: ApiOptions) => {
    const act = async (session: Omit<Session, 'client'>, fetchRun: (id: string) => Promise<RunDocument>) => {
      const ports = { fetchRun, readFile: readText };
      const comparison = compareRuns(await readSide(a, ports), await readSide(b, ports));
      session.screen.print(renderComparison(comparison, session.screen.paint));
      session.writeDocument(comparison);
      return comparison.a.runs.length > 0 && comparison.b.runs.length > 0 ? EXIT.confirmed : EXIT.inconclusive;
    };
    if (!asksApi(a) && !asksApi(b)) {
      const nobody = () => Promise.reject(new Error('there is no id among these files'));
      world.exit(await act(outputOf(options, world), nobody));
      return;
    }
    await withSession(options, world, (session) =>
      act(session, async (id) => {
        const answer = await session.client.call('GET', pathOf(id));
        expectStatus(answer, 200);
        return readBody(runSchema, answer);
      }),
    );
  });
};
