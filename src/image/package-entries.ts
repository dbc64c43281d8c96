import { readdirSync } from "node:fs"
import { join, posix } from "node:path"
import { app, type Entry } from "./entry.js"
import { omitsFile } from "./omissions.js"
import type { InstalledPackage } from "./package.js"

/**
 * The files of an installed package, at its place under the application's folder. Executable is what the manifest names
 * as a command: what an installation made executable differs between package managers.
 */
export function packageEntries(found: InstalledPackage, place: string, kept: readonly string[]): readonly Entry[] {
  const commands = new Set(Object.values(found.bin).map((script) => posix.normalize(script)))
  return filesOf(found.dir, "")
    .filter((path) => !omitsFile(found.name, path, kept))
    .map((path) => ({
      path: posix.join(app, place, path),
      copy: join(found.dir, path),
      executable: commands.has(path),
    }))
}

/** Links for a package's commands, in node_modules/.bin where npx looks, and on everybody's PATH. */
export function commandEntries(found: InstalledPackage, place: string): readonly Entry[] {
  return Object.entries(found.bin).flatMap(([command, script]) => {
    const target = posix.join(app, place, script)
    return [posix.join(app, "node_modules/.bin", command), posix.join("usr/local/bin", command)].map((path) => ({
      path,
      link: posix.relative(posix.dirname(path), target),
    }))
  })
}

function filesOf(root: string, folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === "" ? entry.name : `${folder}/${entry.name}`
    if (entry.isDirectory()) return entry.name === "node_modules" ? [] : filesOf(root, path)
    return entry.isFile() ? [path] : []
  })
}
