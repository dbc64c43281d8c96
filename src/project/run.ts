import { execa, parseCommandString } from "execa"
import { LockstepError } from "../errors.js"
import { prismaEnvironment } from "./environment.js"

/** A command to run in the project. */
export interface Run {
  readonly root: string
  /** A folder in the project: what is installed for it comes first on PATH, then for the folders above it. */
  readonly near?: string
  /** The program and its arguments. */
  readonly command: readonly string[]
  /** How a person types it. */
  readonly typed: string
  /** What it does, as the subject of an error message: "generating the client". */
  readonly purpose: string
  /** Set in addition to this process's own environment. */
  readonly variables: Readonly<Record<string, string>>
  readonly signal: AbortSignal
}

/**
 * Runs a command of the project with the project's own binaries first on PATH; its output goes to stderr.
 * Errors: L1306 it failed.
 */
export async function runInProject({
  root,
  near = root,
  command,
  typed,
  purpose,
  variables,
  signal,
}: Run): Promise<void> {
  const [program, ...operands] = command
  if (program === undefined) return
  const result = await execa(program, operands, {
    cwd: root,
    preferLocal: true,
    localDir: near,
    env: { ...prismaEnvironment(), ...variables },
    stdin: "inherit",
    stdout: process.stderr,
    stderr: process.stderr,
    cancelSignal: signal,
    gracefulCancel: false,
    reject: false,
  })
  if (!result.failed) return
  throw new LockstepError(
    "L1306",
    `${purpose} failed: ${program} ${result.exitCode === undefined ? "cannot be started" : `exited with ${result.exitCode}`}`,
    {
      hint: result.exitCode === undefined ? result.shortMessage : "Its own output is above.",
      next: `run it yourself: ${typed}`,
    },
  )
}

/** A command line as its words, without a shell. */
export const wordsOf = (commandLine: string): readonly string[] => parseCommandString(commandLine)
