import { execa, parseCommandString } from "execa"
import { LockstepError } from "../errors.js"
import { schemaEnginePath } from "./schema-engine-path.js"

/** The environment in which Prisma's CLI uses Lockstep's schema engine and does not call home. */
const prismaEnvironment = (): Record<string, string> => ({
  PRISMA_SCHEMA_ENGINE_BINARY: process.env.PRISMA_SCHEMA_ENGINE_BINARY || schemaEnginePath(),
  PRISMA_HIDE_UPDATE_MESSAGE: "1",
  CHECKPOINT_DISABLE: "1",
})

export interface Run {
  readonly root: string
  /** The program and its arguments. */
  readonly command: readonly string[]
  /** For the message: what it was to do. */
  readonly purpose: string
  /** Variables that it gets beside this process's own. */
  readonly variables: Readonly<Record<string, string>>
  readonly signal: AbortSignal
}

/**
 * Runs a command of the project with the project's own binaries first on the path; its output streams to stderr.
 * Errors: L1306 it failed.
 */
export async function runInProject({ root, command, purpose, variables, signal }: Run): Promise<void> {
  const [program, ...operands] = command
  if (program === undefined) return
  const result = await execa(program, operands, {
    cwd: root,
    preferLocal: true,
    localDir: root,
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
    `${purpose} failed: ${program} ${result.exitCode === undefined ? "could not be run" : `exited with ${result.exitCode}`}`,
    {
      hint: result.exitCode === undefined ? result.shortMessage : "Its own output is above.",
      next: `run it by hand: ${command.join(" ")}`,
    },
  )
}

/** A command line as its words, without a shell. */
export const wordsOf = (commandLine: string): readonly string[] => parseCommandString(commandLine)
