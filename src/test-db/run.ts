import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process"
import { readFile } from "node:fs/promises"

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

/** The operating system's account that runs the server. */
export interface Account {
  readonly name: string
  readonly uid: number
  readonly gid: number
}

const preferred = ["nobody", "daemon", "bin", "postgres"]

/**
 * Accounts that root may run the server as, best first; nothing is created. PostgreSQL refuses root
 * ("must be started under an unprivileged user ID"), and initdb wants an account with a name in the passwd file.
 * For everybody else the answer is `[undefined]`: run it as you are.
 */
export async function serverAccounts(): Promise<readonly (Account | undefined)[]> {
  if (process.geteuid?.() !== 0) return [undefined]
  return choose(await readFile("/etc/passwd", "utf8").catch(() => ""))
}

/** The unprivileged accounts of a passwd file, in the order in which they are to be tried. */
export function choose(passwd: string): readonly Account[] {
  const accounts = passwd.split("\n").flatMap((line) => {
    const [name, , uid, gid] = line.split(":")
    if (name === undefined || !/^-?\d+$/.test(uid ?? "") || !/^-?\d+$/.test(gid ?? "")) return []
    return [{ name, uid: Number(uid), gid: Number(gid) }]
  })
  return preferred.flatMap((name) => accounts.filter((account) => account.name === name && account.uid !== 0))
}
