import { relative, resolve, sep } from "node:path"
import { execa } from "execa"
import { LockstepError } from "../errors.js"
import type { Project } from "../project/project.js"
import type { SchemaFiles } from "../project/schema.js"
import type { Available } from "./resources.js"

/** What the branch will be merged into, as git holds it. */
export interface Base {
  /** As it was named: origin/main. */
  readonly ref: string
  /** migration.sql by the migration's name, at the base's newest commit. */
  readonly migrations: ReadonlyMap<string, string>
  /** The same at the commit from which the branch was made: what the branch itself has changed differs from that. */
  readonly forked: ReadonlyMap<string, string>
  /** The Prisma schema at the base's newest commit, with the paths of the working copy. */
  readonly schema: SchemaFiles
}

/**
 * Reads the base from the project's git repository. Without a name it is the branch that CI merges into, or else
 * origin's default branch. Errors: L1903 the named commit does not exist.
 */
export async function readBase(project: Project, named: string | undefined): Promise<Available<Base>> {
  const git = runnerIn(project.root)
  const top = await git("rev-parse", "--show-toplevel")
  if (top === undefined) return absent(named, "the project is not in a git repository")
  const ref = named ?? (await defaultRef(git))
  if (ref === undefined) return { state: "absent", why: "no base: name one with --base REF" }
  const commit = await git("rev-parse", "--verify", "--quiet", "--end-of-options", `${ref}^{commit}`)
  if (commit === undefined) return absent(named, `git knows no commit ${ref}`)
  const folder = inRepository(top, project.migrationsDir)
  if (folder === undefined) return absent(named, "the migrations are not in the project's git repository")
  // A shallow clone has no common commit: then the base itself stands for it.
  const fork = (await git("merge-base", commit, "HEAD")) ?? commit
  const migrations = await migrationsAt(top, commit, folder)
  return {
    state: "available",
    value: {
      ref,
      migrations,
      forked: fork === commit ? migrations : await migrationsAt(top, fork, folder),
      schema: await schemaAt(top, commit, project.schemaPath),
    },
  }
}

function absent(named: string | undefined, why: string): Available<Base> {
  if (named === undefined) return { state: "absent", why: `no base: ${why}` }
  throw new LockstepError("L1903", `the base ${named} cannot be read: ${why}`, {
    state: "nothing was touched.",
    next: "name a branch or commit that this clone has, such as --base origin/main; in CI fetch it first",
  })
}

/** Runs git; undefined where it fails or is not installed. */
type Git = (...args: readonly string[]) => Promise<string | undefined>

function runnerIn(cwd: string): Git {
  return async (...args) => {
    const { failed, stdout } = await execa("git", args, { cwd, reject: false })
    return failed ? undefined : stdout
  }
}

/** Variables in which GitHub and GitLab name the branch that a pull request is merged into. */
const targetVariables = ["GITHUB_BASE_REF", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME"]

async function defaultRef(git: Git): Promise<string | undefined> {
  const targets = targetVariables.flatMap((name) => process.env[name] || []).map((branch) => `origin/${branch}`)
  for (const ref of [...targets, "origin/HEAD", "origin/main", "origin/master"]) {
    if ((await git("rev-parse", "--verify", "--quiet", `refs/remotes/${ref}^{commit}`)) === undefined) continue
    return ref === "origin/HEAD" ? await git("rev-parse", "--abbrev-ref", "origin/HEAD") : ref
  }
  return undefined
}

/** A path as git writes it, from the top of the repository; undefined where it is outside. */
function inRepository(top: string, path: string): string | undefined {
  const inside = relative(top, path)
  return inside.startsWith("..") || resolve(inside) === inside ? undefined : inside.split(sep).join("/")
}

async function migrationsAt(top: string, commit: string, folder: string): Promise<ReadonlyMap<string, string>> {
  const files = await filesAt(top, commit, folder)
  return new Map(
    files.flatMap(({ path, content }): [string, string][] => {
      const [name, file, ...deeper] = path.slice(folder.length + 1).split("/")
      return name !== undefined && file === "migration.sql" && deeper.length === 0 ? [[name, content]] : []
    }),
  )
}

async function schemaAt(top: string, commit: string, schemaPath: string): Promise<SchemaFiles> {
  const path = inRepository(top, schemaPath)
  if (path === undefined) return []
  const files = await filesAt(top, commit, path)
  return files
    .filter((file) => file.path.endsWith(".prisma"))
    .map((file) => ({ path: resolve(top, file.path), content: file.content }))
}

interface CommittedFile {
  /** From the top of the repository. */
  readonly path: string
  readonly content: string
}

/** The SQL and Prisma files at or below a path: two calls of git, however many there are. */
async function filesAt(top: string, commit: string, path: string): Promise<readonly CommittedFile[]> {
  const listed = await runnerIn(top)("ls-tree", "-r", "-z", commit, "--", path)
  const entries = (listed ?? "").split("\0").flatMap((line) => {
    const [, id, name] = /^\d+ blob ([0-9a-f]+)\t(.+)$/s.exec(line) ?? []
    return id !== undefined && name !== undefined && /\.(?:sql|prisma)$/.test(name) ? [{ id, name }] : []
  })
  if (entries.length === 0) return []
  const input = `${entries.map(({ id }) => id).join("\n")}\n`
  const { stdout } = await execa("git", ["cat-file", "--batch"], { cwd: top, input, encoding: "buffer" })
  const contents = blobsIn(Buffer.from(stdout))
  return entries.map(({ name }, index) => ({ path: name, content: contents[index] ?? "" }))
}

/** What `git cat-file --batch` prints: for each object a line with its size in bytes, and the object. */
function blobsIn(output: Buffer): readonly string[] {
  const found: string[] = []
  for (let at = 0; at < output.length; ) {
    const header = output.indexOf("\n", at)
    if (header < 0) break
    const size = Number(output.subarray(at, header).toString().split(" ")[2])
    found.push(output.subarray(header + 1, header + 1 + size).toString())
    at = header + 1 + size + 1
  }
  return found
}
