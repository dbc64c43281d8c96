import type * as z from "zod/mini"
import type { Project } from "../project/project.js"
import type { Output } from "../report/output.js"

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
