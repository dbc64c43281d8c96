import * as z from "zod/mini"
import { inFolder, json, type Listing } from "./listing.js"

/** What the package managers do differently, as it is typed. */
interface PackageManagerCommands {
  readonly lockfiles: readonly string[]
  /** Runs an installed command. */
  readonly run: string
  /** Installs what package.json names. */
  readonly install: string
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
    frozen: "pnpm install --frozen-lockfile",
    setup: "corepack enable",
  },
  yarn: {
    lockfiles: ["yarn.lock"],
    run: "yarn",
    install: "yarn install",
    frozen: "yarn install --frozen-lockfile",
    setup: "corepack enable",
  },
  bun: {
    lockfiles: ["bun.lock", "bun.lockb"],
    run: "bunx",
    install: "bun install",
    frozen: "bun install --frozen-lockfile",
    setup: "npm install --global bun",
  },
  npm: {
    lockfiles: ["package-lock.json", "npm-shrinkwrap.json"],
    run: "npx",
    install: "npm install",
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

const pinned = z.object({ packageManager: z.string().check(z.regex(/^(npm|pnpm|yarn|bun)@/)) })

/** package.json's "packageManager" decides, then a lockfile, of the project before those of the folders above it. */
export function findManager(files: Listing, at: string): FoundManager {
  const folders = foldersUpTo(at)
  for (const folder of folders) {
    const path = inFolder(folder, "package.json")
    const parsed = pinned.safeParse(json(files.text(path)))
    if (!parsed.success) continue
    const [name = "npm", version] = parsed.data.packageManager.split("@")
    return { name: name as PackageManager, namedBy: path, version: version?.split("+")[0] }
  }
  for (const folder of folders) {
    for (const name of Object.keys(packageManagers) as PackageManager[]) {
      const lockfile = packageManagers[name].lockfiles.find((file) => files.paths.includes(inFolder(folder, file)))
      if (lockfile !== undefined) return { name, namedBy: inFolder(folder, lockfile), version: undefined }
    }
  }
  return { name: "npm", namedBy: undefined, version: undefined }
}

/** Installs exactly what the lockfile names; Yarn renamed the flag in its second version. */
export function frozenInstall({ name }: FoundManager, files: Listing): string {
  const isNewYarn = name === "yarn" && files.paths.some((path) => /(^|\/)\.yarnrc\.yml$/.test(path))
  return isNewYarn ? "yarn install --immutable" : packageManagers[name].frozen
}

/** "a/b": "a/b", "a", "". */
export const foldersUpTo = (at: string): readonly string[] =>
  at === "" ? [""] : [at, ...foldersUpTo(at.split("/").slice(0, -1).join("/"))]
