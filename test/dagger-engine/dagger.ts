import { createServer } from "node:net"
import { stripVTControlCharacters } from "node:util"
import { execa } from "execa"
import { onTestFinished } from "vitest"
import { environment } from "../support/cli.js"
import { until } from "../support/until.js"
import { quiet } from "./engine.js"

/** How a `dagger` command ended. */
export interface Answer {
  readonly exitCode: number | undefined
  /** The result, as a program reads it. */
  readonly stdout: string
  /** Its own messages, and the engine's whole progress. */
  readonly stderr: string
}

export interface DaggerOptions {
  /** Where it is typed: the project's repository. */
  readonly cwd: string
  readonly env?: Readonly<Record<string, string>>
}

/** Runs the real `dagger` as a CI would. */
export async function dagger(args: readonly string[], { cwd, env = {} }: DaggerOptions): Promise<Answer> {
  const { exitCode, stdout, stderr } = await execa("dagger", ["--progress=plain", ...args], {
    cwd,
    env: environment({ ...quiet, ...env }),
    extendEnv: false,
    reject: false,
    maxBuffer: 200_000_000,
  })
  return { exitCode, stdout, stderr: stripVTControlCharacters(stderr) }
}

/** The result of `dagger call`; a failure shows the engine's progress. */
export async function call(args: readonly string[], options: DaggerOptions): Promise<string> {
  const answer = await dagger(["call", ...args], options)
  if (answer.exitCode !== 0) throw new Error(`dagger call ${args.join(" ")}\n${answer.stderr}`)
  return answer.stdout
}

/** `dagger call ... up` in the background, ended with the test; returns the test database's URL on this machine, and the progress so far. */
export async function up(
  args: readonly string[],
  { cwd }: DaggerOptions,
): Promise<{ url: string; progress: () => string }> {
  const port = await freePort()
  const words = ["--progress=plain", "call", ...args, "up", "--ports", `${port}:5432`]
  const running = execa("dagger", words, { cwd, env: environment(quiet), extendEnv: false, reject: false, all: true })
  let progress = ""
  running.all.on("data", (part) => {
    progress += stripVTControlCharacters(String(part))
  })
  onTestFinished(async () => {
    running.kill("SIGINT")
    await running
  })
  await until("the tunnel to the service", () => progress.includes("tunnel started"), 300)
  return { url: `postgresql://postgres:postgres@127.0.0.1:${port}/lockstep`, progress: () => progress }
}

const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer()
    server.once("error", reject)
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      server.close(() =>
        typeof address === "object" && address ? resolve(address.port) : reject(new Error("no port")),
      )
    })
  })
