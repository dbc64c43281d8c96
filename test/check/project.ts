import { execFileSync } from "node:child_process"
import { symlinkSync } from "node:fs"
import { join } from "node:path"
import type { Check, Example } from "../../src/check/check.js"
import type { Result } from "../../src/check/finding.js"
import { type CheckRequest, runChecks } from "../../src/check/run.js"
import { defaultSettings } from "../../src/deploy/context.js"
import { deploy } from "../../src/deploy/deploy.js"
import { readFolder } from "../../src/history/folder.js"
import { parseDatabaseUrl } from "../../src/postgres/url.js"
import { loadProject } from "../../src/project/project.js"
import { repository } from "../support/cli.js"
import { createDatabase, serverUrl, type TestDatabase } from "../support/postgres.js"
import { createProject, type TestProject } from "../support/project.js"

/** An example as a project: the base is committed on main, the branch is in the working copy. */
export interface ExampleProject extends TestProject {
  readonly database: TestDatabase | undefined
  check(request: Partial<CheckRequest>): Promise<readonly Result[]>
}

/** Makes a project of an example; with a database, where the base's migrations are applied. */
export async function exampleProject(
  { base, branch, database: sql }: Example,
  withDatabase: "with a database" | "without a database",
): Promise<ExampleProject> {
  const project = createProject({ files: { ".gitignore": ".lockstep\nnode_modules\n" } })
  symlinkSync(join(repository, "node_modules"), join(project.root, "node_modules"))
  for (const [path, content] of Object.entries(base)) project.write(pathOf(path), content)
  commit(project.root)
  const database = withDatabase === "with a database" ? await createDatabase() : undefined
  if (database) await apply(project, database.url)
  if (database && sql !== undefined) await database.query(sql)
  for (const [path, content] of Object.entries(branch)) {
    if (content !== null) project.write(pathOf(path), content)
    else project.remove(path.includes(".") ? pathOf(path) : `prisma/migrations/${path}`)
  }
  return { ...project, database, check: (request) => check(project.root, database?.url, request) }
}

/** A migration's name has no dot; everything else is the path of a file below prisma/. */
const pathOf = (path: string): string =>
  path.includes(".") ? `prisma/${path}` : `prisma/migrations/${path}/migration.sql`

/** Commits everything on the branch main. */
export function commit(root: string): void {
  const git = (...args: string[]) =>
    execFileSync("git", ["-c", "user.name=Test", "-c", "user.email=test@example.org", ...args], {
      cwd: root,
      stdio: "pipe",
    })
  git("init", "--quiet", "--initial-branch=main")
  git("add", "--all")
  git("commit", "--quiet", "--allow-empty", "--message", "Base")
}

async function apply(project: TestProject, url: string): Promise<void> {
  await deploy({
    url: parseDatabaseUrl(url),
    folder: readFolder(project.migrationsDir),
    settings: { ...defaultSettings, allowEmpty: true },
    applicationName: "lockstep tests",
    signal: new AbortController().signal,
    onEvent: () => {},
  })
}

async function check(root: string, url: string | undefined, request: Partial<CheckRequest>) {
  const project = { ...(await loadProject({ root }, "everything")), environmentUrl: url, shadowUrl: serverUrl() }
  return await runChecks({ project, base: "main", ids: [], signal: new AbortController().signal, ...request })
}

/** Whether an example of this check needs a database. */
export const needsDatabase = ({ needs, needsOneOf }: Check) =>
  needs.includes("database") || (needsOneOf.length > 0 && !needsOneOf.includes("base"))
    ? "with a database"
    : "without a database"
