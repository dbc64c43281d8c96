import { existsSync, readFileSync, realpathSync } from "node:fs"
import { dirname, join, parse } from "node:path"
import * as z from "zod/mini"
import { LockstepError } from "../errors.js"

const manifest = z.object({
  name: z.string(),
  version: z.string(),
  dependencies: z._default(z.record(z.string(), z.string()), {}),
  bin: z.optional(z.union([z.string(), z.record(z.string(), z.string())])),
  license: z.optional(z.unknown()),
})

/** A package as it is installed. */
export interface InstalledPackage {
  readonly name: string
  readonly version: string
  /** Its real folder: links into a package manager's store are followed. */
  readonly dir: string
  /** Names of what it cannot run without. Optional and peer dependencies are not among them. */
  readonly dependencies: readonly string[]
  /** Script by command, relative to `dir`. */
  readonly bin: Readonly<Record<string, string>>
  /** As the manifest says it: an SPDX expression by custom. */
  readonly license: string | undefined
}

/** Reads an installed package. Errors: L1602 its package.json cannot be used. */
export function readPackage(dir: string): InstalledPackage {
  const path = join(dir, "package.json")
  try {
    const { name, version, dependencies, bin, license } = z.parse(manifest, JSON.parse(readFileSync(path, "utf8")))
    return {
      name,
      version,
      dir: realpathSync(dir),
      dependencies: Object.keys(dependencies),
      bin: typeof bin === "string" ? { [name.replace(/^@[^/]*\//, "")]: bin } : (bin ?? {}),
      license: typeof license === "string" ? license : undefined,
    }
  } catch (cause) {
    throw new LockstepError("L1602", `${path} cannot be used`, {
      hint: cause instanceof Error ? cause.message : undefined,
      next: "install the packages again",
      cause,
    })
  }
}

/**
 * The package that Node would find by this name from a folder. Looked for as a folder, because many packages do not
 * export their package.json. undefined where it is not installed.
 */
export function findPackage(name: string, from: string): InstalledPackage | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const dir = join(folder, "node_modules", name)
    if (existsSync(join(dir, "package.json"))) return readPackage(dir)
    if (folder === parse(folder).root) return undefined
  }
}

/** As findPackage. Errors: L1602 it is not installed. */
export function requirePackage(name: string, from: string): InstalledPackage {
  const found = findPackage(name, from)
  if (found) return found
  throw new LockstepError("L1602", `the image needs the package ${name}, which is not installed`, {
    hint: `It was looked for in node_modules from ${from} upwards.`,
    next: "install the project's packages (with Yarn: nodeLinker: node-modules)",
  })
}

/** The package that a file belongs to, by the package's name. Errors: L1602. */
export function owningPackage(file: string, name: string): InstalledPackage {
  for (let folder = dirname(file); folder !== dirname(folder); folder = dirname(folder)) {
    if (!existsSync(join(folder, "package.json"))) continue
    const found = readPackage(folder)
    if (found.name === name) return found
  }
  throw new LockstepError("L1602", `the package ${name} is not around ${file}`)
}
