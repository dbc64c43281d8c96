import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import { createTwoFilesPatch } from "diff"
import { execa } from "execa"
import { LockstepError } from "../errors.js"
import type { Change } from "./change.js"

/** The changes as a patch, as git prints and applies it. */
export const patchOf = (changes: readonly Change[]): string =>
  changes
    .map(({ path, before, after, executable }) => {
      const mode = executable ? "100755" : "100644"
      const head = [`diff --git a/${path} b/${path}`, ...(before === undefined ? [`new file mode ${mode}`] : [])]
      const from = before === undefined ? "/dev/null" : `a/${path}`
      const options = {
        context: 3,
        headerOptions: { includeIndex: false, includeUnderline: false, includeFileHeaders: true },
      }
      return `${head.join("\n")}\n${createTwoFilesPatch(from, `b/${path}`, before ?? "", after, undefined, undefined, options)}`
    })
    .join("")

/** Writes the changes. Errors: L1704 a file has changed since it was read, or cannot be written. */
export function writeChanges(root: string, changes: readonly Change[]): void {
  for (const { path, before, after, executable } of changes) {
    const file = join(root, path)
    try {
      if (before !== undefined && readFileSync(file, "utf8") !== before) throw new Error("it has changed meanwhile")
      mkdirSync(dirname(file), { recursive: true })
      // A file that somebody else has made meanwhile is not overwritten.
      writeFileSync(file, after, { flag: before === undefined ? "wx" : "w" })
      if (executable) chmodSync(file, 0o755)
    } catch (cause) {
      throw new LockstepError("L1704", `${path} cannot be written`, {
        hint: cause instanceof Error ? cause.message : String(cause),
        state: "the files before it in the list are written.",
        next: "`lockstep init` again: it resumes where it stopped",
        cause,
      })
    }
  }
}

/** How the changes are undone: with git, where it can. */
export async function undoOf(root: string, changes: readonly Change[]): Promise<readonly string[]> {
  const changed = changes.filter(({ before }) => before !== undefined).map(({ path }) => path)
  const made = changes.filter(({ before }) => before === undefined).map(({ path }) => path)
  const files = await execa("git", ["ls-files", "--error-unmatch", "--", ...changed], { cwd: root, reject: false })
  if (files.failed) return []
  return [
    ...(changed.length > 0 ? [`git checkout -- ${changed.map(quoted).join(" ")}`] : []),
    ...(made.length > 0 ? [`rm ${made.map(quoted).join(" ")}`] : []),
  ]
}

/** Files to be changed whose last changes are not committed: `git checkout` would undo these as well. */
export async function uncommitted(root: string, changes: readonly Change[]): Promise<readonly string[]> {
  const changed = changes.filter(({ before }) => before !== undefined).map(({ path }) => path)
  if (changed.length === 0) return []
  const { stdout, failed } = await execa("git", ["status", "--porcelain", "-z", "--", ...changed], {
    cwd: root,
    reject: false,
  })
  return failed ? [] : stdout.split("\0").flatMap((entry) => entry.slice(3) || [])
}

const quoted = (path: string): string => (/^[\w./@-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`)
