import { execFileSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { logicalLines, stripPython } from '../../lib/strip-python.ts';

const HOST = fileURLToPath(new URL('../../host/', import.meta.url));

/**
 * Reads [name, module, stripped module] and prints the names of those whose programs differ. What may be missing is
 * taken from both: docstrings, blocks for the type checker, annotations of functions and of the variables in them.
 */
const DIFFERENT = `
import ast, json, sys

class Bare(ast.NodeTransformer):
    def __init__(self):
        self.function = False

    def visit_block(self, node):
        self.generic_visit(node)
        has_docstring = isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
        if has_docstring and ast.get_docstring(node, False) is not None:
            node.body = node.body[1:]
        if not isinstance(node, ast.Module):
            node.body = node.body or [ast.Pass()]
        return node

    def visit_If(self, node):
        return None if ast.unparse(node.test).endswith("TYPE_CHECKING") else self.visit_block(node)

    def visit_scope(self, node):
        outer, self.function = self.function, not isinstance(node, ast.ClassDef)
        if self.function:
            node.returns = None
            for argument in ast.walk(node.args):
                if isinstance(argument, ast.arg):
                    argument.annotation = None
        self.visit_block(node)
        self.function = outer
        return node

    visit_Module = visit_For = visit_While = visit_With = visit_Try = visit_ExceptHandler = visit_block
    visit_ClassDef = visit_FunctionDef = visit_AsyncFunctionDef = visit_scope

    def visit_AnnAssign(self, node):
        bare = self.function and node.value and isinstance(node.target, (ast.Name, ast.Attribute))
        return ast.Assign(targets=[node.target], value=node.value) if bare else node

def program(text):
    try:
        return ast.dump(Bare().visit(ast.parse(text)))
    except SyntaxError as error:
        return "%s in %r" % (error, text)

print(json.dumps([name for name, before, after in json.load(sys.stdin) if program(before) != program(after)]))`;

/** The modules whose stripped text is another program. */
function different(modules: readonly (readonly [string, string])[]): string[] {
  const input = JSON.stringify(modules.map(([name, text]) => [name, text, stripPython(text)]));
  return JSON.parse(execFileSync('/usr/bin/python3', ['-I', '-W', 'ignore', '-c', DIFFERENT], { input }).toString());
}

/** Strings whose content looks like their end, a comment or another line. */
const literal = fc
  .tuple(
    fc.constantFrom('', 'r', 'R', 'b', 'B', 'u', 'f', 'F', 'rb', 'bR', 'Rb', 'fr', 'rF'),
    fc.constantFrom('"', "'", '"""', "'''"),
    fc.array(fc.constantFrom('\\"', "\\'", '\\\\', '\\\n', '#', ' ', 'é', '(', '"', "'", '\n    '), { maxLength: 6 }),
  )
  .map(([prefix, quotes, content]) => {
    const forbidden = [quotes[0], ...(quotes.length === 1 ? ['\n    '] : []), ...(/b/i.test(prefix) ? ['é'] : [])];
    return `${prefix}${quotes}${content.filter((part) => !forbidden.includes(part)).join('')}${quotes}`;
  });
const expression = fc.oneof(
  literal,
  fc.constantFrom('x', '(x, # one ]\n  y)', 'x + \\\n  y', '1 .real', 'x - -1', 'not x', 'x if y else"z"', '"" ""'),
  fc.constantFrom('(lambda a, b=1: {a: b}[1:2])', 'f"{x!r:>{y}}#"', '{**x, 1: [y for y in"z"]}', '(x := 1)', '...'),
);
const statement = expression.chain((value) =>
  fc.constantFrom(
    `x = ${value}  # "\n`,
    `def f(a: "int" = ${value}, /, *b: int, c: dict[str, int] = {1: 2}) -> str: return a\n`,
    `async def f(\n    a: int,\n) -> str:\n        "doc"\n        y: int = ${value}\n        z: int\n`,
    `class A:\n\n  # first\n  r"""doc"""\n  z: int = ${value}\n\n  def f(self):\n      """Only."""\n`,
    `if TYPE_CHECKING:\n    import a\n\n    import b\nif x:\n\tif y:\n\t\tx.y: int = ${value}\n`,
    `def f(a: int = lambda b, c=1: b):\n  try:\n    if TYPE_CHECKING: import a\n  except: x = ${value}\n  else: 1\n`,
    `def f():\n  class A:\n    if x:\n      y: int = ${value}\n    z: int = 1\n  try: x = ${value}\n  finally: y = 1\n`,
  ),
);

describe('stripPython', () => {
  it('leaves every module of the host the program that it is', () => {
    const files = globSync('**/*.py', { cwd: HOST });
    expect(files).toContain('watchdog.py');
    expect(different(files.map((file) => [file, readFileSync(`${HOST}${file}`, 'utf8')]))).toEqual([]);
  });

  it('leaves any other module the program that it is', () => {
    const modules = fc.sample(fc.array(statement, { minLength: 1, maxLength: 6 }), 1000);
    expect(different(modules.map((statements) => [statements.join(''), statements.join('')]))).toEqual([]);
  });

  it('takes away what only people and the type checker read', () => {
    const text = `#!/usr/bin/python3
"""The module."""
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import record

LIMIT: int = 3  # Kept, as a class keeps its own: a program can read them.


def total(values: "list[int]", start: int = 0) -> int:
    """Their sum."""
    result: int = start
    for value in values:
        result += value  # one by one
    return (
        result
    )


class Ended(Exception):
    """It ended."""
`;
    expect(stripPython(text)).toBe(`from typing import TYPE_CHECKING
LIMIT:int=3
def total(values,start=0):
 result=start
 for value in values:
  result+=value
 return(result)
class Ended(Exception):
 pass
`);
  });

  it('leaves strings as they are', () => {
    const text = 'x = """\n    # no comment\n  "quoted"  \\"""" + \'it\\\'s # "\' + f"a  {b:>2}"\n';
    expect(stripPython(text)).toBe(text.replace('x = ', 'x=').replaceAll(/(['"]) \+ /g, '$1+'));
  });
});

describe('logicalLines', () => {
  it('are one for what brackets and backslashes spread over several', () => {
    expect(
      logicalLines('if x:\n    from a.b import (  # why\n        c,\n        d,\n    )\nx = 1 + \\\n    2'),
    ).toEqual([
      { indentation: 0, tokens: ['if', 'x', ':'] },
      { indentation: 4, tokens: ['from', 'a.b', 'import', '(', 'c', ',', 'd', ',', ')'] },
      { indentation: 0, tokens: ['x', '=', '1', '+', '2'] },
    ]);
  });
});
