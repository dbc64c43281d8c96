import type { Api, ApiObject, Argument, Callable } from "./ci-api.js"

/** Flags of the `dagger` command itself. Source: Dagger 0.21, CLI reference. */
const ownSwitches = new Set(
  "-y --auto-apply -d --debug -i --interactive -E --no-exit -M --no-mod -q --quiet -s --silent -v -vv -vvv --verbose -w --web -j --json -l --list -h --help".split(
    " ",
  ),
)
const ownValues = new Set("-m --mod -o --output --progress --lock --interactive-command --x-release".split(" "))
const otherCommands = new Set(["functions", "generate", "init", "lock", "toolchain", "version", "login", "develop"])

/** The module, its main type and Dagger's own types. */
export interface Known {
  /** "lockstep": the toolchain's name on the command line. */
  readonly name: string
  readonly main: ApiObject
  readonly types: Api
}

/** What is wrong with a `dagger …` command line; empty where nothing is. */
export function problemsOf(line: string, known: Known): string[] {
  const [, ...words] = wordsOf(line)
  const { flags, rest } = takeOwnFlags(words)
  const [command, ...others] = rest
  if (command === undefined || otherCommands.has(command)) return []
  if (command === "check") return checkProblems(others.slice(takeOwnFlags(others).length), known)
  if (command !== "call") return [`dagger has no command ${command}`]
  return callProblems(others, flags, known)
}

function checkProblems(words: readonly string[], { main, name }: Known): string[] {
  const { rest } = takeOwnFlags(words)
  return rest.flatMap((word) => {
    const check = word.replace(new RegExp(`^${name}[:/]`), "")
    return main.functions.get(check)?.isCheck ? [] : [`there is no check ${word}`]
  })
}

function callProblems(words: readonly string[], before: readonly string[], { name, main, types }: Known): string[] {
  const problems: string[] = []
  let at: ApiObject | undefined = main
  let pending: Callable = main.constructor_
  let given = new Set<string>()
  let functions = 0
  const own = new Set(before)
  const source = main.constructor_.arguments.find(({ flag }) => flag === "--source")
  const checkRequired = () => {
    const missing = pending.arguments.filter(({ flag, required }) => required && !given.has(flag))
    problems.push(...missing.map(({ flag }) => `${flag} is missing`))
    if (pending === main.constructor_ && source) {
      const other = own.has("-m") || own.has("--mod")
      if (other && !given.has(source.flag)) problems.push("with -m the project has to be named: --source=.")
      if (!other && given.has(source.flag)) problems.push("--source is for calls with -m only")
    }
  }
  for (let n = 0; n < words.length; n++) {
    const word = words[n] ?? ""
    if (word === "..." || word === "…") return problems
    if (word.startsWith("-")) {
      const [flag = "", value] = word.split(/=(.*)/s)
      const found: Argument | undefined = pending.arguments.find((argument) => argument.flag === flag)
      const takesValue = found ? !found.isSwitch : ownValues.has(flag)
      if (!found && !ownSwitches.has(flag) && !ownValues.has(flag)) problems.push(`there is no ${flag} here`)
      ;(found ? given : own).add(flag)
      if (takesValue && value === undefined) n++
      continue
    }
    if (functions === 0 && word === name && !main.functions.has(word)) continue
    checkRequired()
    const next: Callable | undefined = at?.functions.get(word)
    if (!next) return [...problems, `there is no function ${word}`]
    pending = next
    given = new Set()
    at = types.get(next.returns)
    functions++
  }
  checkRequired()
  return problems
}

/** dagger's own flags before the command's other words. */
function takeOwnFlags(words: readonly string[]): { flags: string[]; rest: readonly string[]; length: number } {
  const flags: string[] = []
  let n = 0
  for (; n < words.length; n++) {
    const [flag = "", value] = (words[n] ?? "").split(/=(.*)/s)
    if (!ownSwitches.has(flag) && !ownValues.has(flag)) break
    flags.push(flag)
    if (ownValues.has(flag) && value === undefined) n++
  }
  return { flags, rest: words.slice(n), length: n }
}

/** The words of the first simple command in a shell line; quotes are taken off, variables stay as they are. */
export function wordsOf(line: string): string[] {
  const words: string[] = []
  let rest = line
  for (;;) {
    const [taken, word] = /^\s*((?:"(?:\\.|[^"\\])*"|'[^']*'|\\.|[^\s"'\\|&;<>()#`])+)/.exec(rest) ?? []
    if (taken === undefined || word === undefined) return words
    words.push(word.replace(/"((?:\\.|[^"\\])*)"|'([^']*)'|\\(.)/g, "$1$2$3"))
    rest = rest.slice(taken.length)
  }
}
