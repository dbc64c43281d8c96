import { existsSync, readFileSync } from "node:fs"
import {
  chmod,
  copyFile,
  lutimes,
  mkdir,
  mkdtemp,
  readdir,
  rename,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises"
import { basename, dirname, join, resolve } from "node:path"
import { LockstepError } from "../errors.js"

/** One file or symbolic link of the image. Paths are relative to the image's root, with forward slashes. */
export type Entry =
  | { readonly path: string; readonly copy: string; readonly executable: boolean }
  | { readonly path: string; readonly text: string }
  | { readonly path: string; readonly bytes: Buffer }
  | { readonly path: string; readonly link: string }

/** The files that one layer adds to the image's root. */
export interface Layer {
  /** The folder's name; layers are copied in the order of their names. */
  readonly name: string
  readonly entries: readonly Entry[]
}

/** The application's folder in the image. */
export const app = "app"

/** A layer that was written. */
export interface LayerSize {
  readonly name: string
  readonly files: number
  readonly bytes: number
}

/** What is written: a folder for each layer, and JSON documents by their file name. */
interface ImageFiles {
  readonly layers: readonly Layer[]
  readonly documents: Readonly<Record<string, object>>
  /** Checks what was written before it gets its final name; if it throws, everything is removed. */
  readonly check: (dir: string) => Promise<void>
}

/** The document by which a later call recognises the folder as an image's. */
export const marker = "config.json"

/**
 * Writes an image's parts into a folder, all of them or nothing. Modes and times are the same on every machine.
 * Errors: L1601 the folder holds something else than an earlier image.
 */
export async function writeImage(out: string, files: ImageFiles): Promise<readonly LayerSize[]> {
  const dir = resolve(out)
  await refuseOtherContent(dir)
  await mkdir(dirname(dir), { recursive: true })
  const fresh = await mkdtemp(join(dirname(dir), `.${basename(dir)}-`))
  try {
    const sizes: LayerSize[] = []
    for (const layer of files.layers) sizes.push(await writeLayer(join(fresh, "layers", layer.name), layer))
    for (const [name, value] of Object.entries(files.documents)) {
      await writeFile(join(fresh, name), `${JSON.stringify(value, null, 2)}\n`)
    }
    await files.check(fresh)
    await normalise(fresh, executables(files.layers))
    await rm(dir, { recursive: true, force: true })
    await rename(fresh, dir)
    return sizes
  } finally {
    await rm(fresh, { recursive: true, force: true })
  }
}

async function refuseOtherContent(dir: string): Promise<void> {
  if (!existsSync(dir)) return
  const isEmpty = (await readdir(dir).catch(() => [""])).length === 0
  if (isEmpty || isImage(join(dir, marker))) return
  throw new LockstepError("L1601", `${dir} is not empty and is not an earlier image`, {
    state: "nothing was touched.",
    next: "name a new or empty folder with --out",
  })
}

function isImage(path: string): boolean {
  try {
    return readFileSync(path, "utf8").includes('"lockstep.image-config/1"')
  } catch {
    return false
  }
}

async function writeLayer(root: string, { name, entries }: Layer): Promise<LayerSize> {
  const folders = new Set(entries.map(({ path }) => dirname(join(root, path))))
  await mkdir(root, { recursive: true })
  for (const folder of folders) await mkdir(folder, { recursive: true })
  const sizes = await Promise.all(entries.map((entry) => writeEntry(root, entry)))
  return { name, files: entries.length, bytes: sizes.reduce((sum, size) => sum + size, 0) }
}

async function writeEntry(root: string, entry: Entry): Promise<number> {
  const path = join(root, entry.path)
  if ("link" in entry) {
    await symlink(entry.link, path)
    return 0
  }
  if ("copy" in entry) await copyFile(entry.copy, path)
  else await writeFile(path, "text" in entry ? entry.text : entry.bytes)
  return (await stat(path)).size
}

const executables = (layers: readonly Layer[]): ReadonlySet<string> =>
  new Set(
    layers.flatMap(({ name, entries }) =>
      entries.flatMap((entry) => ("copy" in entry && entry.executable ? [join("layers", name, entry.path)] : [])),
    ),
  )

/** Every file's time: image builders treat it as "no time". */
const epoch = new Date(0)

/**
 * Gives everything below a folder the same modes and times on every machine: 755 for folders and for the `executable`
 * paths (relative to the folder), 644 for the rest, 1970-01-01.
 */
async function normalise(root: string, executable: ReadonlySet<string>, folder = ""): Promise<void> {
  const entries = await readdir(join(root, folder), { withFileTypes: true })
  await Promise.all(
    entries.map(async (entry) => {
      const path = join(folder, entry.name)
      if (entry.isDirectory()) return await normalise(root, executable, path)
      if (entry.isFile()) await chmod(join(root, path), executable.has(path) ? 0o755 : 0o644)
      await lutimes(join(root, path), epoch, epoch)
    }),
  )
  await chmod(join(root, folder), 0o755)
  await lutimes(join(root, folder), epoch, epoch)
}
