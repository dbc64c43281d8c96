import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process"
import type { Account } from "./account.js"

/** How a program ended: its exit code and everything it said, or why it could not be started. */
export type Outcome =
  | { readonly state: "ended"; readonly code: number | null; readonly stdout: string; readonly output: string }
  | { readonly state: "not started"; readonly reason: string }

/**
 * The environment of the server's programs: nothing of the caller's but PATH. A server that outlives its parent
 * must not keep the parent's secrets, and PGDATA, PGPORT and the like must not steer it.
 */
export const environment = { PATH: process.env.PATH ?? "/usr/bin:/bin", LC_ALL: "C" } as const

/** Which account a program runs as, in the words of node:child_process. */
export function identity(account: Account | undefined): { uid?: number; gid?: number } {
  return account === undefined ? {} : { uid: account.uid, gid: account.gid }
}

/** Runs one of the server's programs to its end. Never throws. */
export async function run(
  file: string,
  args: readonly string[],
  account: Account | undefined,
  input = "",
): Promise<Outcome> {
  try {
    return await collect(spawn(file, args, { ...identity(account), env: environment, cwd: "/" }), input)
  } catch (error) {
    // Not becoming another account is thrown by spawn itself, a missing program is told later: both end up here.
    const code = error instanceof Error && "code" in error ? error.code : undefined
    return { state: "not started", reason: String(code ?? error) }
  }
}

function collect(child: ChildProcessWithoutNullStreams, input: string): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    let stdout = ""
    let output = ""
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text
      output += text
    })
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      output += text
    })
    child.on("error", reject)
    child.on("close", (code) => resolve({ state: "ended", code, stdout, output }))
    child.stdin.on("error", () => {})
    child.stdin.end(input)
  })
}
