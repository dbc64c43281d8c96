import { existsSync, readdirSync, readFileSync, statSync } from "node:fs"
import { dirname, join, relative, sep } from "node:path"
import * as z from "zod/mini"
import { json } from "../project/package-manager.js"

/** The files of a repository. Paths are relative to its root, with forward slashes. */
export interface Listing {
  readonly paths: readonly string[]
  /** A file's text; undefined where it does not exist. */
  text(path: string): string | undefined
}

/** A repository, and where in it the Prisma project is. */
export interface Repository {
  /** Absolute. */
  readonly root: string
  /** The project's folder relative to the root; "" where they are one. */
  readonly at: string
}

const markers = [".git", "pnpm-workspace.yaml", "lerna.json", "turbo.json", "nx.json"]

/** The repository that a project is in: the nearest folder upwards that is one or is a workspace's root, or the project's own. */
export function repositoryOf(project: string): Repository {
  const root = upwards(project).find(isRepositoryRoot) ?? project
  return { root, at: relative(root, project).split(sep).join("/") }
}

const upwards = (folder: string): readonly string[] =>
  dirname(folder) === folder ? [folder] : [folder, ...upwards(dirname(folder))]

const isRepositoryRoot = (folder: string): boolean =>
  markers.some((name) => existsSync(join(folder, name))) ||
  packageKind(readText(join(folder, "package.json"))).hasWorkspaces

const packageFields = z.object({ type: z.optional(z.string()), workspaces: z.optional(z.unknown()) })

/** What a package.json's text says of the package's kind; nothing where it is none. */
export function packageKind(text: string | undefined) {
  const { data } = packageFields.safeParse(json(text))
  return { isModule: data?.type === "module", hasWorkspaces: data?.workspaces !== undefined }
}

/** Folders that hold no file of a person, or whose files are made. */
const skipped = new Set(["node_modules", "dist", "build", "out", "coverage", "vendor", "target", "tmp", "generated"])
/** Hidden folders that hold configuration. */
const configured = new Set([".github", ".gitlab", ".circleci", ".config"])
/** A chart or a package is rarely deeper, and a repository rarely larger. */
const limits = { depth: 6, files: 20_000 }

/** Lists a repository's files, without those that are installed or made. */
export function listRepository(root: string): Listing {
  const paths: string[] = []
  const walk = (folder: string, depth: number): void => {
    for (const entry of entriesOf(join(root, folder))) {
      const path = folder === "" ? entry.name : `${folder}/${entry.name}`
      if (entry.isFile() && paths.length < limits.files) paths.push(path)
      if (entry.isDirectory() && depth < limits.depth && isLookedInto(entry.name)) walk(path, depth + 1)
    }
  }
  walk("", 1)
  return { paths: paths.sort(), text: (path) => readText(join(root, path)) }
}

const isLookedInto = (name: string): boolean => !skipped.has(name) && (!name.startsWith(".") || configured.has(name))

function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true })
  } catch {
    return []
  }
}

function readText(path: string): string | undefined {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ? readFileSync(path, "utf8") : undefined
}

/** A path in a folder of the repository. */
export const inFolder = (folder: string, path: string): string => (folder === "" ? path : `${folder}/${path}`)

/** "a/b": "a/b", "a", "". */
export const foldersUpTo = (at: string): readonly string[] =>
  at === "" ? [""] : [at, ...foldersUpTo(at.split("/").slice(0, -1).join("/"))]
