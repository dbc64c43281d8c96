import { join, relative, sep } from "node:path"
import { LockstepError } from "../errors.js"
import { findConfig, urlVariableIn } from "../project/config.js"
import { urlVariables } from "../project/database-url.js"
import { type PackageManager, packageManagers } from "../project/package-manager.js"
import type { Project } from "../project/project.js"
import type { Change } from "./change.js"
import { detect, type Found, type ProjectPaths, prismaPackages } from "./detect.js"
import { inFolder, type Listing, listRepository, type Repository, repositoryOf } from "./listing.js"

/** A repository and the Prisma project in it. */
export interface Look {
  /** The repository's folder. */
  readonly root: string
  readonly files: Listing
  readonly found: Found
  /** What could not be read. */
  readonly notes: readonly string[]
}

/**
 * Looks at the project in `folder`. `load` reads its configuration, which may need packages that are not installed yet: then the
 * paths are Prisma's defaults. Errors: L1701 there is no Prisma project on PostgreSQL in the folder.
 */
export async function lookAt(folder: string, load: () => Promise<Project>): Promise<Look> {
  const repository = repositoryOf(folder)
  const files = listRepository(repository.root)
  const notes: string[] = []
  const paths = await load()
    .then((project) => pathsOf(project, repository))
    .catch((error: unknown) => {
      if (!(error instanceof LockstepError) || error.code !== "L1303") throw error
      notes.push(`${error.message}; Prisma's default paths are assumed`)
      return defaultPaths(folder, repository, files)
    })
  const found = detect(files, paths)
  refuseOthers(found, files)
  return { root: repository.root, files, found, notes }
}

const within = ({ root }: Repository, path: string): string => relative(root, path).split(sep).join("/")

function pathsOf(project: Project, repository: Repository): ProjectPaths {
  const { schemaPath, migrationsDir, configPath } = project
  return {
    at: repository.at,
    schema: within(repository, schemaPath),
    migrations: within(repository, migrationsDir),
    config: configPath && within(repository, configPath),
    variables: urlVariables(project),
  }
}

function defaultPaths(folder: string, repository: Repository, files: Listing): ProjectPaths {
  const { at } = repository
  const config = findConfig(folder, undefined)
  const path = config && within(repository, config)
  const text = (path && files.text(path)) ?? ""
  const named = /\bschema:\s*["']([^"']+)["']/.exec(text)?.[1]
  const schema = inFolder(at, named?.replace(/^\.\//, "") ?? "prisma/schema.prisma")
  const variables = urlVariables({
    configUrlVariable: urlVariableIn(text),
    schemaPath: join(repository.root, schema),
  })
  return { at, schema, migrations: schema.replace(/[^/]+$/, "migrations"), config: path, variables }
}

function refuseOthers({ schema, migrations, at }: Found, files: Listing): void {
  const provider = schema?.provider
  const state = "nothing was written."
  if (provider !== undefined && !/^postgres(ql)?$/.test(provider)) {
    throw new LockstepError("L1701", `this project's database is "${provider}", and Lockstep is for PostgreSQL`, {
      state,
    })
  }
  if (schema !== undefined || migrations.names.length > 0) return
  const others = prismaPackages(files).filter((folder) => folder !== at)
  throw new LockstepError("L1701", "there is no Prisma schema in this folder", {
    hint: others.length > 0 ? `These packages of the repository have one: ${others.join(", ")}` : undefined,
    state,
    next: others[0]
      ? `change to one of them, such as ${others[0]}, and run it there`
      : "name it with --schema; or `prisma init` makes one, `lockstep init --example` an example",
  })
}

/** What to type after the changes are written, in the order in which it is needed. */
export function nextSteps({ manager, migrations, schema }: Found, changes: readonly Change[]): readonly string[] {
  const { run, install } = packageManagers[manager.name]
  const isInstalled = changes.every(({ after }) => !/^\s*"prisma-lockstep":/m.test(after))
  const isNew = migrations.names.length === 0 && (schema?.models ?? 0) > 0
  return [
    ...(isInstalled ? [] : [install]),
    `${run} lockstep test-db up${isNew ? "" : " --deploy"}`,
    ...(isNew ? [`${run} lockstep migrate --name init`] : []),
    `${run} lockstep doctor`,
  ]
}

/** The package manager that runs this process, by what it says of itself; npm where none does. */
export function callingManager(): PackageManager {
  const name = process.env.npm_config_user_agent?.split("/")[0]
  return name !== undefined && name in packageManagers ? (name as PackageManager) : "npm"
}
