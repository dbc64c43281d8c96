import { readdirSync } from "node:fs"
import { join } from "node:path"
import ts from "typescript"
import { repository } from "../support/cli.js"

const folder = join(repository, "dagger/src")

/** The module as one TypeScript program, against the SDK's types as the npm package has them. */
export function moduleProgram(): ts.Program {
  const { config } = ts.readConfigFile(join(repository, "dagger/tsconfig.json"), ts.sys.readFile)
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, join(repository, "dagger"))
  const program = ts.createProgram(
    readdirSync(folder).map((name) => join(folder, name)),
    {
      ...options,
      noEmit: true,
      lib: ["lib.es2022.d.ts"],
      // The engine's own loader reads the npm package's types through its "exports" as well.
      moduleResolution: ts.ModuleResolutionKind.Bundler,
      paths: { "@dagger.io/dagger": [join(repository, "node_modules/@dagger.io/dagger")] },
      types: ["node"],
      typeRoots: [join(repository, "node_modules/@types")],
    },
  )
  // Creating the checker gives every node its parent, which the text of a node is found by.
  program.getTypeChecker()
  return program
}

/** The module's class: the one with @object(). */
export function moduleClass(program: ts.Program): ts.ClassDeclaration {
  const source = program.getSourceFile(join(folder, "index.ts"))
  const found = source?.statements.find(
    (statement) => ts.isClassDeclaration(statement) && decorators(statement).includes("object"),
  )
  if (found && ts.isClassDeclaration(found)) return found
  throw new Error("dagger/src/index.ts has no class with @object()")
}

/** The names of a declaration's decorators. */
export const decorators = (node: ts.HasDecorators): readonly string[] =>
  (ts.getDecorators(node) ?? []).map(({ expression }) =>
    (ts.isCallExpression(expression) ? expression.expression : expression).getText(),
  )

/** The methods that the module gives to its callers. */
export const functionsOf = (module: ts.ClassDeclaration): readonly ts.MethodDeclaration[] =>
  module.members.filter(ts.isMethodDeclaration).filter((method) => decorators(method).includes("func"))
