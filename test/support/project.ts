import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { onTestFinished, TestRunner } from "vitest"

/** What a test's project holds. */
export interface ProjectFiles {
  /** migration.sql by the migration's name. */
  readonly migrations?: Readonly<Record<string, string | Buffer>>
  /** prisma/schema.prisma. */
  readonly schema?: string
  /** Anything else, by its path in the project. */
  readonly files?: Readonly<Record<string, string | Buffer>>
  /** migration_lock.toml; null: there is none. */
  readonly lockfile?: string | null
}

/** A project in a temporary folder. */
export interface TestProject {
  readonly root: string
  readonly migrationsDir: string
  /** Writes a file by its path in the project. */
  write(path: string, content: string | Buffer): void
  /** Writes a migration; an existing one is overwritten. */
  migration(name: string, sql: string | Buffer): void
  /** Removes a file or folder by its path in the project. */
  remove(path: string): void
  /** Removes the project. */
  drop(): void
}

const postgresqlLock = 'provider = "postgresql"\n'

/** Makes a project. Inside of a test it is removed when the test ends; made in `beforeAll`, the caller drops it. */
export function createProject({
  migrations = {},
  schema,
  files = {},
  lockfile = postgresqlLock,
}: ProjectFiles = {}): TestProject {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "lockstep-project-")))
  const migrationsDir = join(root, "prisma/migrations")
  const write = (path: string, content: string | Buffer) => {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), content)
  }
  const project: TestProject = {
    root,
    migrationsDir,
    write,
    migration: (name, sql) => write(`prisma/migrations/${name}/migration.sql`, sql),
    remove: (path) => rmSync(join(root, path), { recursive: true }),
    drop: () => rmSync(root, { recursive: true, force: true }),
  }
  mkdirSync(migrationsDir, { recursive: true })
  if (files["package.json"] === undefined) write("package.json", '{ "name": "shop", "private": true }\n')
  if (lockfile !== null) write("prisma/migrations/migration_lock.toml", lockfile)
  if (schema !== undefined) write("prisma/schema.prisma", schema)
  for (const [name, sql] of Object.entries(migrations)) project.migration(name, sql)
  for (const [path, content] of Object.entries(files)) write(path, content)
  if (TestRunner.getCurrentTest() !== undefined) onTestFinished(project.drop)
  return project
}
