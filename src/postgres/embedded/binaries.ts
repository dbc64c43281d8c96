import { readFile, stat, symlink } from "node:fs/promises"
import { basename, dirname, join } from "node:path"
import * as z from "zod/mini"
import { LockstepError } from "../../errors.js"
import { type Account, serverAccounts } from "./account.js"
import { copies } from "./copy.js"
import { elsewhere, findPackage, type Package } from "./platform.js"
import { sharedFolders } from "./reach.js"
import { run } from "./run.js"

/** Programs that were seen to run, and the account that ran them. */
export interface Binaries {
  readonly initdb: string
  readonly postgres: string
  /** As the server calls itself: 18.4. */
  readonly version: string
  /** undefined: the current user. */
  readonly account: Account | undefined
}

type Probe =
  | { readonly state: "runs"; readonly version: string }
  | { readonly state: "account refused" | "fails"; readonly reason: string }

/**
 * PostgreSQL's programs, ready to run: from the installed package where the server's account can reach it and its
 * library links are there or can be made (npm's install script, which makes them, is often blocked); otherwise from
 * a copy. Errors: L1501, L1502, L1503 root finds no account to run it as, L1507 no folder for a copy.
 */
export async function findBinaries(): Promise<Binaries> {
  const found = findPackage()
  await linkLibraries(found.native)
  const refused: string[] = []
  for (const account of await serverAccounts()) {
    const inPlace = await probe(found.native, account)
    if (inPlace.state === "runs") return programs(found.native, inPlace.version, account)
    if (inPlace.state === "account refused") {
      refused.push(`${account?.name}: ${inPlace.reason}`)
      continue
    }
    return await fromCopy(found, account, inPlace.reason)
  }
  throw new LockstepError("L1503", "PostgreSQL refuses to run as root, and no other account could be used", {
    hint: refused.length > 0 ? refused.join("; ") : "/etc/passwd names none of nobody, daemon, bin, postgres.",
    next: `run this as an ordinary user, or ${elsewhere}`,
  })
}

async function fromCopy(found: Package, account: Account | undefined, inPlace: string): Promise<Binaries> {
  const reasons = [`${found.native}: ${inPlace}`]
  for await (const native of copies(found, account)) {
    await linkLibraries(native)
    const copied = await probe(native, account)
    if (copied.state === "runs") return programs(native, copied.version, account)
    reasons.push(`${native}: ${copied.reason}`)
  }
  if (reasons.length === 1) {
    throw new LockstepError("L1507", "no folder for a copy of PostgreSQL's binaries can be used", {
      hint: `${reasons[0]}\nThe server's account has to reach a copy in one of ${sharedFolders().join(", ")}, and nobody else may write there.`,
      next: `correct the owner of that folder, or set LOCKSTEP_CACHE_DIR to another, or ${elsewhere}`,
    })
  }
  const hasMusl = await stat("/lib/ld-musl-x86_64.so.1")
    .catch(() => stat("/lib/ld-musl-aarch64.so.1"))
    .then(
      () => true,
      () => false,
    )
  throw new LockstepError("L1501", "the embedded PostgreSQL does not run on this machine", {
    hint: hasMusl ? "Its binaries need glibc, and this is a musl system such as Alpine." : reasons.join("\n"),
    next: elsewhere,
  })
}

function programs(native: string, version: string, account: Account | undefined): Binaries {
  return { initdb: join(native, "bin", "initdb"), postgres: join(native, "bin", "postgres"), version, account }
}

/** Running it is the one test that covers missing libraries, a missing loader, permissions and noexec at once. */
async function probe(native: string, account: Account | undefined): Promise<Probe> {
  const outcome = await run(join(native, "bin", "postgres"), ["-V"], account)
  if (outcome.state === "not started") {
    const isAccount = outcome.reason === "EPERM" || outcome.reason === "EINVAL"
    return { state: isAccount ? "account refused" : "fails", reason: outcome.reason }
  }
  const version = /\(PostgreSQL\) (\S+)/.exec(outcome.stdout)?.[1]
  if (outcome.code !== 0 || version === undefined) return { state: "fails", reason: outcome.output.trim() }
  if (account !== undefined && !(await isReadable(native))) return { state: "fails", reason: "not readable by others" }
  return { state: "runs", version }
}

/** Files have equal permissions when an installer's umask made them; two of them stand for all. */
async function isReadable(native: string): Promise<boolean> {
  const samples = ["share/postgresql/postgres.bki", "lib/postgresql/plpgsql.so"]
  const modes = await Promise.all(samples.map((path) => stat(join(native, path)).catch(() => ({ mode: 0 }))))
  return modes.every(({ mode }) => (mode & 0o004) !== 0)
}

const linksSchema = z.array(z.object({ source: z.string(), target: z.string() }))

/** Makes the library links that npm packages cannot hold, as the package's own install script would. */
async function linkLibraries(native: string): Promise<void> {
  const list = await readFile(join(native, "pg-symlinks.json"), "utf8").catch(() => "[]")
  await Promise.all(
    linksSchema.parse(JSON.parse(list)).map(async ({ source, target }) => {
      const path = join(dirname(native), target)
      // Already there, or a folder that cannot be written to: the probe tells.
      await symlink(basename(source), path).catch(() => {})
    }),
  )
}
