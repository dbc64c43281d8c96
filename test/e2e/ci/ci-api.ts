import ts from "typescript"

/** One argument as the Dagger CLI shows it. */
export interface Argument {
  /** "--database-url" */
  readonly flag: string
  readonly required: boolean
  /** A switch takes no value. */
  readonly isSwitch: boolean
}

/** What can be called: a constructor or a function. */
export interface Callable {
  readonly arguments: readonly Argument[]
  /** The type's name, without Promise. */
  readonly returns: string
  readonly isCheck: boolean
}

/** A type and its functions by their names on the command line. */
export interface ApiObject {
  readonly constructor_: Callable
  readonly functions: ReadonlyMap<string, Callable>
}

export type Api = ReadonlyMap<string, ApiObject>

/** Dagger's command line writes databaseUrl as database-url. */
export const kebab = (name: string): string =>
  name.replace(/([a-z0-9])([A-Z])|([A-Z])(?=[A-Z][a-z])/g, "$1$3-$2").toLowerCase()

/** The types that a module's source makes: the classes with @object(), with their @func() methods and fields. */
export function readModule(sources: readonly string[]): Api {
  return objectsOf(sources, (member) => decorated(member, "func"))
}

/** The types of Dagger's own API, from the declarations of its client. */
export function readCore(declarations: string): Api {
  return objectsOf([declarations], (member) => ts.isPropertyDeclaration(member) || ts.isMethodDeclaration(member))
}

function objectsOf(sources: readonly string[], isFunction: (member: ts.ClassElement) => boolean): Api {
  const files = sources.map((text, n) => ts.createSourceFile(`${n}.ts`, text, ts.ScriptTarget.ES2022, true))
  const statements = files.flatMap((file) => [...file.statements])
  const options = new Map(
    statements.filter(ts.isTypeAliasDeclaration).map((alias) => [alias.name.text, optionsOf(alias.type)]),
  )
  const classes = statements.filter(ts.isClassDeclaration)
  return new Map(
    classes.map((declared): [string, ApiObject] => {
      const made = declared.members.find(ts.isConstructorDeclaration)
      const functions = declared.members.filter(isFunction).flatMap((member): [string, Callable][] => {
        if (!member.name || ts.isPrivateIdentifier(member.name)) return []
        return [[alias(member) ?? kebab(member.name.getText()), callable(member, options)]]
      })
      return [
        declared.name?.text ?? "",
        {
          constructor_: { arguments: argumentsOf(made?.parameters ?? [], options), returns: "", isCheck: false },
          functions: new Map(functions),
        },
      ]
    }),
  )
}

type Options = ReadonlyMap<string, readonly Argument[]>

/** `type ServiceUpOpts = { ports?: PortForward[] }`: the optional arguments of Dagger's own functions. */
const optionsOf = (type: ts.TypeNode): Argument[] =>
  ts.isTypeLiteralNode(type)
    ? type.members.filter(ts.isPropertySignature).map((member) => argument(member.name.getText(), false, member.type))
    : []

function callable(member: ts.ClassElement, options: Options): Callable {
  const type = ts.isPropertyDeclaration(member) ? member.type : undefined
  const signature = ts.isMethodDeclaration(member) ? member : type && ts.isFunctionTypeNode(type) ? type : undefined
  const returns = (signature ? signature.type : type)?.getText() ?? "string"
  return {
    arguments: argumentsOf(signature?.parameters ?? [], options),
    returns: returns.replace(/^Promise<(.*)>$/, "$1"),
    isCheck: decorated(member, "check"),
  }
}

const argumentsOf = (parameters: readonly ts.ParameterDeclaration[], options: Options): Argument[] =>
  parameters.flatMap((parameter) => {
    const known = options.get(parameter.type?.getText() ?? "")
    if (known) return known
    const optional =
      parameter.questionToken !== undefined ||
      parameter.initializer !== undefined ||
      /\bdefault(Path|Address)\b/.test(
        ts
          .getDecorators(parameter)
          ?.map((one) => one.getText())
          .join() ?? "",
      )
    return [argument(parameter.name.getText(), !optional, parameter.type, parameter.initializer)]
  })

const argument = (name: string, required: boolean, type?: ts.TypeNode, initial?: ts.Expression): Argument => ({
  flag: `--${kebab(name)}`,
  required,
  isSwitch: type ? type.kind === ts.SyntaxKind.BooleanKeyword : /^(true|false)$/.test(initial?.getText() ?? ""),
})

function decorators(member: ts.ClassElement): ts.CallExpression[] {
  const all = ts.canHaveDecorators(member) ? (ts.getDecorators(member) ?? []) : []
  return all.map(({ expression }) => expression).filter(ts.isCallExpression)
}

const decorated = (member: ts.ClassElement, name: string): boolean =>
  decorators(member).some(({ expression }) => expression.getText() === name)

/** @func("other-name") */
function alias(member: ts.ClassElement): string | undefined {
  const given = decorators(member).find(({ expression }) => expression.getText() === "func")?.arguments[0]
  return given && ts.isStringLiteral(given) ? kebab(given.text) : undefined
}
