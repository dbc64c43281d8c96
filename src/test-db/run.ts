import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process"
import { readFile, stat } from "node:fs/promises"

/** One of the server's programs, and what it runs with. */
export interface Program {
  readonly file: string
  readonly args: readonly string[]
  /** undefined: the current user. */
  readonly account?: Account | undefined
  readonly input?: string
}

/** How a program ended, with its output, or why it was not started. */
export type Outcome =
  | { readonly state: "ended"; readonly code: number | null; readonly stdout: string; readonly output: string }
  | { readonly state: "not started"; readonly reason: string }

/**
 * The environment of the server's programs: of the caller's variables only PATH. The server runs longer than its caller
 * and must not keep the caller's secrets, and PGDATA or PGPORT must not change what it does.
 */
export const environment = { PATH: process.env.PATH ?? "/usr/bin:/bin", LC_ALL: "C" } as const

/** An account in the form of node:child_process. */
export function identity(account: Account | undefined): { uid?: number; gid?: number } {
  return account === undefined ? {} : { uid: account.uid, gid: account.gid }
}

/** Runs a program until it ends. Never throws. */
export async function run({ file, args, account, input = "" }: Program): Promise<Outcome> {
  try {
    return await collect(spawn(file, args, { ...identity(account), env: environment, cwd: "/" }), input)
  } catch (error) {
    // spawn() throws where it cannot change the account; a missing program is reported by an event later.
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

/** The end of a program's output, where the reason of a failure is. */
export const lastLines = (output: string): string => output.trimEnd().split("\n").slice(-12).join("\n")

/** An account of the operating system. */
export interface Account {
  readonly name: string
  readonly uid: number
  readonly gid: number
}

const preferred = ["nobody", "daemon", "bin", "postgres"]

/**
 * The accounts that may run the server, best first. PostgreSQL does not run as root ("must be started under an
 * unprivileged user ID"), and initdb needs an account with an entry in /etc/passwd; so root uses one of the system's.
 * Every other user runs it as himself: `[undefined]`.
 */
export async function serverAccounts(): Promise<readonly (Account | undefined)[]> {
  if (process.geteuid?.() !== 0) return [undefined]
  return accountsIn(await readFile("/etc/passwd", "utf8").catch(() => ""))
}

/** The accounts of a passwd file that may run the server, best first. */
export function accountsIn(passwd: string): readonly Account[] {
  const accounts = passwd.split("\n").flatMap((line) => {
    const [name, , uid, gid] = line.split(":")
    if (name === undefined || !/^-?\d+$/.test(uid ?? "") || !/^-?\d+$/.test(gid ?? "")) return []
    return [{ name, uid: Number(uid), gid: Number(gid) }]
  })
  return preferred.flatMap((name) => accounts.filter((account) => account.name === name && account.uid !== 0))
}

/** The account that root runs the server as: the owner of its data, which may be the user who made them earlier. */
export async function ownerOf(dataDir: string): Promise<Account | undefined> {
  if (process.geteuid?.() !== 0) return undefined
  const { uid, gid } = await stat(dataDir)
  return { name: "owner", uid, gid }
}
