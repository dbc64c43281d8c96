import { runCommandLine } from "../../src/program.js"
import { type CliOptions, environment, lockstep as startProcess } from "./cli.js"

/** What a command answered; as of a process, without the last line end. */
export interface Ended {
  readonly exitCode?: number
  readonly stdout: string
  readonly stderr: string
  readonly all: string
}

/** A working directory and an environment are the process's: one command at a time has them. */
let before: Promise<unknown> = Promise.resolve()

/**
 * Runs `lockstep` in this process, in the project's folder and with the environment that a process of its own would have:
 * a start costs more than most commands. For what does not depend on the process: commands side by side, signals, a
 * terminal and the programs that a command starts need `lockstep` of cli.ts. With LOCKSTEP_TEST_CLI it is a process.
 */
export function lockstep(args: readonly string[], options: Omit<CliOptions, "input">): Promise<Ended> {
  if (process.env.LOCKSTEP_TEST_CLI) return Promise.resolve(startProcess(args, options))
  const ended = before.then(() => runHere(args, options))
  before = ended.catch(() => undefined)
  return ended
}

async function runHere(argv: readonly string[], { cwd, url, env = {} }: CliOptions): Promise<Ended> {
  const { stdout, stderr, env: ownEnvironment } = process
  const own = { cwd: process.cwd(), toStdout: stdout.write, toStderr: stderr.write }
  const written: { readonly to: "stdout" | "stderr"; readonly text: string }[] = []
  const keep =
    (to: "stdout" | "stderr"): typeof stdout.write =>
    (chunk: string | Uint8Array, ...rest: unknown[]) => {
      written.push({ to, text: String(chunk) })
      const done = rest.find((one) => typeof one === "function")
      done?.()
      return true
    }
  const textOf = (to?: "stdout" | "stderr"): string =>
    written
      .filter((one) => to === undefined || one.to === to)
      .map(({ text }) => text)
      .join("")
      .replace(/\r?\n$/, "")
  process.chdir(cwd)
  process.env = environment({ DATABASE_URL: url, ...env })
  stdout.write = keep("stdout")
  stderr.write = keep("stderr")
  try {
    const exitCode = await runCommandLine({ argv, interrupted: new AbortController().signal })
    return { exitCode, stdout: textOf("stdout"), stderr: textOf("stderr"), all: textOf() }
  } finally {
    process.chdir(own.cwd)
    process.env = ownEnvironment
    stdout.write = own.toStdout
    stderr.write = own.toStderr
  }
}
