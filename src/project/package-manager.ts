import * as z from "zod/mini"

/** What the package managers do differently, as it is typed. */
interface PackageManagerCommands {
  readonly lockfiles: readonly string[]
  /** Runs an installed command. */
  readonly run: string
  /** Installs what package.json names. */
  readonly install: string
  /** Add a package, and one that is only needed to develop. */
  readonly add: string
  readonly addDev: string
  /** Installs exactly what the lockfile names, for CI. */
  readonly frozen: string
  /** Makes the package manager available beside Node; undefined where Node brings it. */
  readonly setup: string | undefined
}

/** The package managers, in the order in which their lockfiles are looked for. */
export const packageManagers = {
  pnpm: {
    lockfiles: ["pnpm-lock.yaml"],
    run: "pnpm exec",
    install: "pnpm install",
    add: "pnpm add",
    addDev: "pnpm add -D",
    frozen: "pnpm install --frozen-lockfile",
    setup: "corepack enable",
  },
  yarn: {
    lockfiles: ["yarn.lock"],
    run: "yarn",
    install: "yarn install",
    add: "yarn add",
    addDev: "yarn add -D",
    frozen: "yarn install --frozen-lockfile",
    setup: "corepack enable",
  },
  bun: {
    lockfiles: ["bun.lock", "bun.lockb"],
    run: "bunx",
    install: "bun install",
    add: "bun add",
    addDev: "bun add -d",
    frozen: "bun install --frozen-lockfile",
    setup: "npm install --global bun",
  },
  npm: {
    lockfiles: ["package-lock.json", "npm-shrinkwrap.json"],
    run: "npx",
    install: "npm install",
    add: "npm install",
    addDev: "npm install --save-dev",
    frozen: "npm ci",
    setup: undefined,
  },
} as const satisfies Readonly<Record<string, PackageManagerCommands>>

export type PackageManager = keyof typeof packageManagers

/** The package manager of a project, and what names it: a lockfile or package.json's "packageManager". */
export interface FoundManager {
  readonly name: PackageManager
  readonly namedBy?: string | undefined
  /** The version that package.json pins; undefined where it pins none. */
  readonly version?: string | undefined
}

/** The files that tell it, by their paths. */
interface ProjectFiles {
  readonly has: (path: string) => boolean
  /** A file's text; undefined where it does not exist. */
  readonly text: (path: string) => string | undefined
}

const pinned = z.object({ packageManager: z.string().check(z.regex(/^(npm|pnpm|yarn|bun)@/)) })

/**
 * package.json's "packageManager" decides, then a lockfile, of the project before those of the folders above it.
 * `folders`: the project's and those above it, nearest first; "" for the one that paths are relative to.
 */
export function findManager(files: ProjectFiles, folders: readonly string[]): FoundManager {
  const inside = (folder: string, name: string): string => (folder === "" ? name : `${folder}/${name}`)
  for (const folder of folders) {
    const path = inside(folder, "package.json")
    const parsed = pinned.safeParse(json(files.text(path)))
    if (!parsed.success) continue
    const [name = "npm", version] = parsed.data.packageManager.split("@")
    return { name: name as PackageManager, namedBy: path, version: version?.split("+")[0] }
  }
  for (const folder of folders) {
    for (const name of Object.keys(packageManagers) as PackageManager[]) {
      const lockfile = packageManagers[name].lockfiles.find((file) => files.has(inside(folder, file)))
      if (lockfile !== undefined) return { name, namedBy: inside(folder, lockfile), version: undefined }
    }
  }
  return { name: "npm", namedBy: undefined, version: undefined }
}

/** A JSON text's value; undefined where it is none. */
export function json(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text.replace(/^\uFEFF/, ""))
  } catch {
    return undefined
  }
}
