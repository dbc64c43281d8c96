import { createHash, randomBytes } from "node:crypto"
import { constants } from "node:fs"
import { chmod, copyFile, lstat, mkdir, readdir, rename, rm } from "node:fs/promises"
import { dirname, join } from "node:path"
import type { Account } from "./account.js"
import type { Package } from "./platform.js"
import { sharedFolders, trusted } from "./reach.js"

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
export async function* copies(found: Package, account: Account | undefined): AsyncGenerator<string> {
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
