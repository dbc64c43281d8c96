import { chmod, lutimes, readdir } from "node:fs/promises"
import { join } from "node:path"

/** The one time of every file: what an image builder takes for "no time". */
const epoch = new Date(0)

/**
 * Gives everything below a folder the modes and times that it has on any machine: 755 for folders and for the
 * `executable` paths (relative to the folder), 644 for the rest, 1970-01-01.
 */
export async function normalise(root: string, executable: ReadonlySet<string>, folder = ""): Promise<void> {
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
