import { existsSync, readFileSync } from "node:fs"
import { join, posix, relative, sep } from "node:path"
import { type Examination, failed, type ProjectContext, passed, skipped } from "./examination.js"

export const image: Examination<ProjectContext> = {
  id: "project/image",
  title: "an image that is built with the Dockerfile holds the migrations",
  why: "An image without the migrations deploys nothing, or fails when the pod starts.",
  examine({ project: { root, migrationsDir } }) {
    const dockerfile = read(join(root, "Dockerfile"))
    if (dockerfile === undefined) return skipped("there is no Dockerfile beside package.json")
    const folder = relative(root, migrationsDir).split(sep).join("/")
    const ignored = ignoredBy(read(join(root, ".dockerignore")) ?? "", folder)
    if (ignored !== undefined) {
      return failed({
        message: `.dockerignore leaves ${folder} out (${ignored}): a deploy in the image finds no migrations`,
        next: `add the line  !${folder}  after it`,
      })
    }
    if (!copies(dockerfile, folder)) {
      return failed({
        message: `the Dockerfile's last stage copies no ${folder}: a deploy in the image finds no migrations`,
        next: `add  COPY ${folder.split("/")[0]} ./${folder.split("/")[0]}  or build the migration image: \`lockstep image --help\``,
      })
    }
    return passed
  },
}

const read = (path: string): string | undefined => (existsSync(path) ? readFileSync(path, "utf8") : undefined)

/**
 * The pattern of a .dockerignore that leaves a folder out; undefined where none does. The last pattern that matches decides.
 * Source: Docker's documentation, ".dockerignore files".
 */
export function ignoredBy(text: string, folder: string): string | undefined {
  let found: string | undefined
  for (const line of text.split(/\r?\n/).map((one) => one.trim())) {
    if (line === "" || line.startsWith("#")) continue
    const pattern = posix.normalize(line.replace(/^!/, "").trim()).replace(/^\/|\/$/g, "")
    if (!leadsTo(pattern, folder)) continue
    found = line.startsWith("!") ? undefined : line
  }
  return found
}

/** Whether a pattern matches a folder, one above it, or all that is in it. */
function leadsTo(pattern: string, folder: string): boolean {
  const source = pattern
    .split("/")
    .map((part) => (part === "**" ? "(?:.*)" : escaped(part).replaceAll("\\*", "[^/]*").replaceAll("\\?", "[^/]")))
    .join("/")
    .replaceAll("(?:.*)/", "(?:.*/)?")
  const expression = new RegExp(`^${source}$`)
  const parts = folder.split("/")
  const above = parts.map((_, index) => parts.slice(0, index + 1).join("/"))
  return [...above, `${folder}/name`, `${folder}/name/migration.sql`].some((path) => expression.test(path))
}

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&")

/**
 * Whether the last stage of a Dockerfile copies the folder: by its name, by one above it, or from an earlier stage that may
 * have it. What cannot be decided counts as copied.
 */
export function copies(dockerfile: string, folder: string): boolean {
  const lines = dockerfile.replaceAll(/\\\r?\n/g, " ").split(/\r?\n/)
  const last = lines.findLastIndex((line) => /^\s*FROM\s/i.test(line))
  const workdirs = lines.flatMap((line) => /^\s*WORKDIR\s+(\S+)/i.exec(line)?.[1] ?? [])
  const instructions = lines.slice(last + 1).flatMap((line) => /^\s*(?:COPY|ADD)\s+(.*)$/i.exec(line)?.[1] ?? [])
  // A stage of the same file's: it holds what that one copies.
  const base = /^\s*FROM\s+(?:--\S+\s+)*(\S+)/i.exec(lines[last] ?? "")?.[1]
  const names = lines.flatMap((line) => /^\s*FROM\s.*\sAS\s+(\S+)/i.exec(line)?.[1]?.toLowerCase() ?? [])
  if (base !== undefined && names.includes(base.toLowerCase())) return true
  return instructions.some((instruction) => {
    const words = instruction.startsWith("[") ? jsonWords(instruction) : instruction.split(/\s+/)
    const flags = words.filter((word) => word.startsWith("--"))
    const sources = words.filter((word) => !word.startsWith("--")).slice(0, -1)
    const isFromStage = flags.some((flag) => flag.startsWith("--from="))
    return sources.some((source) =>
      isFromStage ? mayHold(source, folder, workdirs) : leadsTo(plain(source), folder) || plain(source) === "",
    )
  })
}

/** "./prisma/" is prisma, and "." is the whole context. */
const plain = (path: string): string => posix.normalize(path).replace(/^\.?\/|\/$|^\.$/g, "")

/** In another stage the folder is somewhere below its working directory. */
function mayHold(source: string, folder: string, workdirs: readonly string[]): boolean {
  const path = posix.normalize(source).replace(/(.)\/$/, "$1")
  if (path === "/" || path === "." || workdirs.some((one) => posix.normalize(one) === path)) return true
  return folder.split("/").includes(posix.basename(path))
}

function jsonWords(instruction: string): readonly string[] {
  return [...instruction.matchAll(/"((?:[^"\\]|\\.)*)"/g)].flatMap(([, word]) => word ?? [])
}
