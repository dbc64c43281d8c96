import { join, resolve } from "node:path"
import { execa } from "execa"

/** The checkout. */
export const repository = resolve(import.meta.dirname, "../..")

/** The command as it ships; LOCKSTEP_TEST_CLI names another build of it, such as an installed package's. */
export const cliPath = process.env.LOCKSTEP_TEST_CLI ?? join(repository, "dist/cli.js")

export interface CliOptions {
  /** The project's folder. */
  readonly cwd: string
  /** DATABASE_URL; without it the variable is not set. */
  readonly url?: string
  /** Further variables; undefined takes one away. */
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly input?: string
}

/** A running or ended `lockstep`; never rejects: look at `exitCode`, `stdout`, `stderr`, `signal`. */
export type CliProcess = ReturnType<typeof lockstep>

/** Runs `lockstep` as a process of its own, without a terminal and without this process's DATABASE_URL. */
export function lockstep(args: readonly string[], { cwd, url, env = {}, input = "" }: CliOptions) {
  return execa(process.execPath, [cliPath, ...args], {
    cwd,
    env: environment({ DATABASE_URL: url, ...env }),
    extendEnv: false,
    input,
    reject: false,
    all: true,
  })
}

/** This process's environment without what would steer the command, and with `changes`. */
export function environment(changes: Readonly<Record<string, string | undefined>> = {}): Record<string, string> {
  const kept = Object.entries(process.env).filter(
    ([name]) =>
      !/^(DATABASE_URL|SHADOW_DATABASE_URL|LOCKSTEP_.*|PRISMA_.*|PG[A-Z]+|NO_COLOR|FORCE_COLOR|npm_config_user_agent)$/.test(
        name,
      ),
  )
  const all = Object.entries({ ...Object.fromEntries(kept), ...changes })
  return Object.fromEntries(all.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])))
}
