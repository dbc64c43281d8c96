import type { Project } from "../project/project.js"
import type { Output } from "./output.js"

interface Described {
  readonly description: string
  /** A single letter: "y" is -y. */
  readonly short?: string
  /** What happens without a value, where no single value says it: "the last migration". */
  readonly defaultDescription?: string
  /** Consent to something destructive, or a choice for one call: never taken from a variable or package.json. */
  readonly source?: "command line"
}

/**
 * One option: a flag, an environment variable and a key of package.json's "lockstep" section. Its name in the table
 * names all three: lockWait is --lock-wait and LOCKSTEP_LOCK_WAIT. `value` is the placeholder in the help.
 */
export type Option = Described &
  (
    | { readonly type: "boolean" }
    | { readonly type: "text"; readonly value: string; readonly default?: string }
    /** A whole number, not negative. */
    | { readonly type: "count"; readonly default: number }
    /** "500ms", "30s", "5m", "1h", or seconds; the default and the parsed value are milliseconds. */
    | { readonly type: "duration"; readonly default: number }
    | {
        readonly type: "choice"
        readonly value: string
        readonly choices: readonly string[]
        readonly default?: string
      }
    /** Separated by commas. */
    | { readonly type: "list"; readonly value: string; readonly choices?: readonly string[] }
  )

export type OptionTable = Readonly<Record<string, Option>>

type ValueOf<O extends Option> = O extends { type: "boolean" }
  ? boolean
  : O extends { type: "count" | "duration" }
    ? number
    : O extends { type: "list" }
      ? readonly ChoiceOf<O>[]
      : O extends { default: string }
        ? ChoiceOf<O>
        : ChoiceOf<O> | undefined

type ChoiceOf<O> = O extends { choices: readonly (infer C)[] } ? C : string

/** The parsed values of a table of options. */
export type Settings<O extends OptionTable> = { readonly [K in keyof O]: ValueOf<O[K]> }

/** "lockWait" is LOCKSTEP_LOCK_WAIT. */
export const variableOf = (key: string): string => `LOCKSTEP_${words(key).join("_").toUpperCase()}`

/** "lockWait" is --lock-wait. */
export const flagOf = (key: string): string => `--${words(key).join("-")}`

const words = (key: string): string[] => key.split(/(?=[A-Z])/).map((word) => word.toLowerCase())

/** The flag as the help shows it and commander parses it: "-n, --name <words>". */
export function flagsOf(key: string, option: Option): string {
  const flags = [...(option.short ? [`-${option.short}`] : []), flagOf(key)].join(", ")
  const value = placeholderOf(option)
  return value === undefined ? flags : `${flags} <${value}>`
}

function placeholderOf(option: Option): string | undefined {
  if (option.type === "boolean") return undefined
  if (option.type === "count") return "n"
  return option.type === "duration" ? "time" : option.value
}

/** The default as a person would type it; undefined where there is none. */
export function defaultText(option: Option): string | undefined {
  if (option.type === "boolean") return "false"
  if (option.type === "duration") return durationText(option.default)
  return "default" in option && option.default !== undefined ? String(option.default) : undefined
}

/** Milliseconds in the largest unit that holds them whole. */
const durationText = (ms: number): string =>
  ms > 0 && ms % 60_000 === 0 ? `${ms / 60_000}m` : ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`

/** What an option does, as a help text: its description, choices, default and variable. */
export function helpOf(key: string, option: Option): string {
  const without = option.defaultDescription ?? (option.type === "boolean" ? undefined : defaultText(option))
  const facts = [
    ...("choices" in option && option.choices ? [`choices: ${option.choices.join(", ")}`] : []),
    ...(without === undefined ? [] : [`default: ${without}`]),
    ...(option.source === "command line" ? [] : [`env: ${variableOf(key)}`]),
  ]
  return facts.length > 0 ? `${option.description} (${facts.join("; ")})` : option.description
}

/** What a command takes beside its options: one value, or with `choices` one of these, each with what it does. */
interface Operand {
  readonly name: string
  readonly required: boolean
  /** "several": any number of them. */
  readonly amount?: "several"
  readonly description?: string
  readonly choices?: Readonly<Record<string, string>>
}

/** As long as a usage line has room for. */
const longestChoices = 30

/** Commander's notation, which the usage line shows: "<up|down|url>", "[name]", "[names...]"; of many choices the name. */
export function operandText({ name, required, amount, choices }: Operand): string {
  const listed = Object.keys(choices ?? {}).join("|")
  const one = choices && listed.length <= longestChoices ? listed : name
  const shown = amount === "several" ? `${one}...` : one
  return required ? `<${shown}>` : `[${shown}]`
}

/** What a command gets: its parsed settings, the operands, and the ways out to the person. */
export interface Invocation<O extends OptionTable> {
  readonly settings: Settings<O>
  readonly operands: readonly string[]
  readonly output: Output
  /** Aborted by SIGINT and SIGTERM; the reason is the signal's name. */
  readonly signal: AbortSignal
  /** The project's folder: the working directory, or at a workspace's root the package. Errors: L1309. */
  root(): string
  /** The project; "migrations" where its folder of migrations and a URL are enough. */
  project(needs?: "everything" | "migrations"): Promise<Project>
}

/** A verb: its help, its options, and what it does. */
export interface Command<O extends OptionTable = OptionTable> {
  /** Paragraphs, without line breaks of their own. */
  readonly description: readonly string[]
  readonly operands?: readonly Operand[]
  readonly options: O
  /** What 0 and 1 mean; 2, 130 and 143 mean the same for every command. */
  readonly exitCodes: { readonly 0: string; readonly 1: string }
  readonly examples: readonly string[]
  /** Resolves to the exit code. */
  run(invocation: Invocation<O>): Promise<0 | 1>
}

/** Keeps the options' types while a command is written as a value. */
export const defineCommand = <const O extends OptionTable>(command: Command<O>): Command<O> => command
