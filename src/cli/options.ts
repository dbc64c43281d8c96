import * as z from "zod/mini"
import type { Project } from "../project/project.js"
import type { Output } from "./output.js"

/** Keeps the option's type. */
export const option = <T>(value: Option<T>): Option<T> => value

/** A flag without a value. Environment: 1, true, yes, on, and their opposites. */
export const flag = (flags: string, help: string, more: { flagOnly?: true } = {}): Option<boolean> => ({
  flags,
  help,
  schema: z._default(
    z.union([z.boolean(), z.stringbool()], { error: () => "is neither true nor false (1, yes, on, 0, no, off)" }),
    false,
  ),
  ...more,
})

/** A text; undefined where it is not given. */
export const text = (flags: string, help: string): Option<string | undefined> => ({
  flags,
  help,
  schema: z.optional(z.string("is not a text").check(z.minLength(1, "is empty"))),
})

/** A whole number, not negative. */
export const count = (flags: string, help: string, fallback: number): Option<number> => ({
  flags,
  help: `${help} (default ${fallback})`,
  schema: written(String(fallback), /^\d{1,9}$/, "is not a whole number, 0 or more", Number),
})

const units = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 } as const
const duration = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/

/** A span of time as "500ms", "30s", "5m", "1h", or seconds; milliseconds inside. */
export const time = (flags: string, help: string, fallback: string): Option<number> => ({
  flags,
  help: `${help} (default ${fallback})`,
  schema: written(fallback, duration, "is not a time such as 500ms, 30s or 5m", (value) => {
    const [, amount, unit = "s"] = duration.exec(value) ?? []
    return Math.round(Number(amount) * units[unit as keyof typeof units])
  }),
})

/** A value in a notation of ours, also as a JSON number. */
function written<T>(fallback: string, notation: RegExp, problem: string, read: (value: string) => T) {
  const given = z.union([z.string(), z.number()], { error: () => problem })
  const asText = z.pipe(
    z._default(given, fallback),
    z.transform((value) => String(value)),
  )
  const checked = z.pipe(asText, z.string().check(z.regex(notation, problem)))
  return z.pipe(checked, z.transform(read))
}

/** Where the project's parts are. Every command that reads the project takes them. */
export const projectOptions = {
  config: text("--config <file>", "the prisma.config to use"),
  schema: text("--schema <path>", "the schema: a file, or a folder of them"),
  migrations: text("--migrations <dir>", "the migrations folder"),
} as const

/** For commands that an empty migrations folder would mislead. */
export const allowEmptyOption = flag("--allow-empty", "accept a migrations folder without migrations")

/** Consent to a destructive command, for where nobody can type it. */
export const yesOption = flag(
  "-y, --yes",
  "consent to a destructive command on a database that is not the test database",
  { flagOnly: true },
)

/** One option: a flag, an environment variable and a key of package.json's "lockstep" section, all parsed by one schema. */
export interface Option<T = unknown> {
  /** As commander writes it: "--lock-wait <time>", "--strict", "-y, --yes". */
  readonly flags: string
  readonly help: string
  /** Parses what the flag, the variable or the configuration says; gives the default for undefined. */
  readonly schema: z.ZodMiniType<T>
  /** A destructive consent is given on the command line alone. */
  readonly flagOnly?: true
}

export type OptionTable = Readonly<Record<string, Option>>

export type Settings<O extends OptionTable> = {
  readonly [K in keyof O]: O[K] extends Option<infer T> ? T : never
}

/** What a command gets: its parsed settings, the operands, and the ways out to the person. */
export interface Invocation<O extends OptionTable> {
  readonly settings: Settings<O>
  readonly operands: readonly string[]
  readonly output: Output
  /** Aborted by SIGINT and SIGTERM; the reason is the signal's name. */
  readonly signal: AbortSignal
  /** The project; "migrations" where its folder of migrations and a URL are enough. */
  project(needs?: "everything" | "migrations"): Promise<Project>
}

/** A verb: its options, its help, and what it does. `run` resolves to the exit code: 0 done, 1 the answer is no. */
export interface Command<O extends OptionTable = OptionTable> {
  readonly description: string
  /** Commander's notation: "[name]", "<from> <to>". */
  readonly operands?: string
  readonly options: O
  readonly examples?: readonly string[]
  run(invocation: Invocation<O>): Promise<0 | 1>
}

/** Keeps the options' types while a command is written as a value. */
export const defineCommand = <const O extends OptionTable>(command: Command<O>): Command<O> => command
