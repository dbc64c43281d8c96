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

/** What a layer weighs. */
export interface LayerSize {
  readonly name: string
  readonly files: number
  readonly bytes: number
}

/** Everything that is written, by name: the layers' folders, and JSON documents beside them. */
export interface ImageFiles {
  readonly layers: readonly Layer[]
  readonly documents: Readonly<Record<string, object>>
  /** Looks at what was written before it takes its place; what it throws undoes the writing. */
  readonly check: (dir: string) => Promise<void>
}

/** The document that marks a folder as written by this command. */
export const marker = "config.json"

/**
 * Writes an image's parts into a folder, in one step: it is there whole or not at all. Modes and times are the same
 * whatever the machine. Errors: L1601 the folder holds something else than an earlier image.
 */
export async function writeImage(out: string, files: ImageFiles): Promise<readonly LayerSize[]> {
  const dir = resolve(out)
  await refuseForeign(dir)
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

async function refuseForeign(dir: string): Promise<void> {
  if (!existsSync(dir)) return
  const isEmpty = (await readdir(dir).catch(() => [""])).length === 0
  if (isEmpty || isOurs(join(dir, marker))) return
  throw new LockstepError("L1601", `${dir} holds something else than an image's parts`, {
    state: "nothing was touched.",
    next: "name a new or empty folder with --out",
  })
}

function isOurs(path: string): boolean {
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

/** The one time of every file: what an image builder takes for "no time". */
const epoch = new Date(0)

/**
 * Gives everything below a folder the modes and times that it has on any machine: 755 for folders and for the
 * `executable` paths (relative to the folder), 644 for the rest, 1970-01-01.
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

/** One file or symbolic link of the image. Paths are relative to the image's root, with forward slashes. */
export type Entry =
  | { readonly path: string; readonly copy: string; readonly executable: boolean }
  | { readonly path: string; readonly text: string }
  | { readonly path: string; readonly bytes: Buffer }
  | { readonly path: string; readonly link: string }

/** What one layer adds to the image's root. */
export interface Layer {
  /** The folder's name: layers are applied in its order. */
  readonly name: string
  readonly entries: readonly Entry[]
}

/** The application's folder in the image. */
export const app = "app"
