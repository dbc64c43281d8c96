import { readFile } from "node:fs/promises"

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
