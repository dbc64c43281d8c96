import { existsSync, readdirSync, readFileSync, statSync } from "node:fs"
import { dirname, join, relative, resolve, sep } from "node:path"
import { LockstepError } from "../errors.js"
import { findConfig } from "./config.js"
import { readManifest } from "./manifest.js"

/** The paths that were given, relative to the working directory. */
export interface GivenPaths {
  readonly config?: string | undefined
  readonly schema?: string | undefined
  readonly migrations?: string | undefined
}

/**
 * The folder of the Prisma project that a command works on: the package that holds the given schema or prisma.config;
 * the working directory where it is a project itself; else, at a workspace's root (npm, pnpm, yarn, bun), the one
 * package that is. Errors: L1309 several packages are.
 */
export function findProjectRoot(cwd: string, { config, schema, migrations }: GivenPaths): string {
  const named = config ?? schema
  if (named !== undefined) return packageOf(resolve(cwd, named), cwd)
  if (migrations !== undefined || isProject(cwd)) return cwd
  const projects = workspacePackages(cwd).filter(isProject)
  const [only, ...others] = projects
  if (others.length === 0) return only ?? cwd
  throw new LockstepError("L1309", `${projects.length} packages of this workspace are Prisma projects`, {
    hint: projects.map((folder) => relative(cwd, folder)).join("\n"),
    state: "nothing was touched.",
    next: `run the command in one of these folders, or name its schema: --schema ${schemaIn(cwd, only ?? cwd)}`,
  })
}

/** The nearest folder with a package.json from a path upwards, up to the working directory. */
function packageOf(path: string, cwd: string): string {
  if (relative(cwd, path).startsWith("..")) return cwd
  for (let folder = path; folder !== cwd && folder !== dirname(folder); folder = dirname(folder))
    if (existsSync(join(folder, "package.json"))) return folder
  return cwd
}

const defaultSchemas = ["schema.prisma", "prisma/schema.prisma", "prisma/schema"]

/** Whether a folder is a Prisma project of its own: a prisma.config, a schema or a history where Prisma looks for them. */
function isProject(folder: string): boolean {
  return (
    findConfig(folder, undefined) !== undefined ||
    [...defaultSchemas, "prisma/migrations"].some((path) => existsSync(join(folder, path))) ||
    readManifest(folder).prisma.schema !== undefined
  )
}

function schemaIn(cwd: string, folder: string): string {
  const found = [readManifest(folder).prisma.schema ?? "", ...defaultSchemas].find(
    (path) => path !== "" && existsSync(join(folder, path)),
  )
  return relative(cwd, join(folder, found ?? "prisma/schema.prisma"))
}

/** The folders of a workspace's packages; none where the folder is no workspace's root. */
function workspacePackages(root: string): readonly string[] {
  const patterns = [...readManifest(root).workspaces, ...pnpmPackages(root)].map((one) => one.replace(/^\.\/|\/$/g, ""))
  const excluded = patterns.flatMap((one) => (one.startsWith("!") ? expression(one.slice(1)) : []))
  const found = patterns.filter((one) => !one.startsWith("!")).flatMap((pattern) => expand(root, pattern.split("/")))
  return [...new Set(found)]
    .filter((folder) => existsSync(join(folder, "package.json")))
    .filter((folder) => !excluded.some((one) => one.test(relative(root, folder).split(sep).join("/"))))
    .sort()
}

/** The list under `packages:`. Source: pnpm's documentation of pnpm-workspace.yaml. */
function pnpmPackages(root: string): readonly string[] {
  const path = join(root, "pnpm-workspace.yaml")
  const text = existsSync(path) ? readFileSync(path, "utf8") : ""
  const list = /^packages:[^\n]*\n((?:[^\S\n]*(?:-[^\n]*|#[^\n]*)?(?:\n|$))*)/m.exec(text)?.[1] ?? ""
  return [...list.matchAll(/^\s*-\s*(["']?)(.+?)\1\s*(?:#.*)?$/gm)].map(([, , pattern = ""]) => pattern)
}

/** The folders that a pattern of folder names means: `*` any one, `**` any below. */
function expand(folder: string, [first, ...rest]: readonly string[]): readonly string[] {
  if (first === undefined) return [folder]
  const below = foldersIn(folder)
  if (first === "**") return [...expand(folder, rest), ...below.flatMap((one) => expand(one, [first, ...rest]))]
  if (!first.includes("*")) return isFolder(join(folder, first)) ? expand(join(folder, first), rest) : []
  const name = expression(first)
  return below.filter((one) => name.test(relative(folder, one))).flatMap((one) => expand(one, rest))
}

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() === true

const foldersIn = (folder: string): readonly string[] =>
  readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== "node_modules" && !entry.name.startsWith("."))
    .map((entry) => join(folder, entry.name))

const expression = (pattern: string): RegExp => {
  const escaped = pattern.replace(/[.+^${}()|[\]\\?]/g, "\\$&")
  return new RegExp(`^${escaped.replace(/\*\*\/?|\*/g, (found) => (found === "*" ? "[^/]*" : ".*"))}$`)
}
