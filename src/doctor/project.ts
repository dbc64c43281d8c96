import { createRequire } from "node:module"
import { join, relative } from "node:path"
import { LockstepError } from "../errors.js"
import { sqlstateOf } from "../postgres/sqlstate.js"
import { findPrisma, readManifest } from "../project/manifest.js"
import { readMigrations } from "../project/project.js"
import { readSchemaIfPossible } from "../project/schema.js"
import {
  type Examination,
  failed,
  type Outcome,
  type Problem,
  type ProjectContext,
  passed,
  skipped,
  warned,
} from "./examination.js"

/** package.json's `engines`, which are also those of Prisma 7. */
const supported = "20.19 or later of 20, 22.12 or later of 22, or 24 and later"

/** Whether Lockstep, and Prisma 7, run on this version of Node. */
export function runsOnNode(version: string): boolean {
  const [major = 0, minor = 0] = version.replace(/^v/, "").split(".").map(Number)
  return (major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major >= 24
}

export const node: Examination<ProjectContext> = {
  id: "project/node",
  title: "Node is a version that Lockstep and Prisma run on",
  why: "On another version Lockstep, or Prisma 7, stops with a syntax error or a missing function.",
  examine: () =>
    runsOnNode(process.version)
      ? passed
      : failed({ message: `Node ${process.version} is not supported: it takes ${supported}`, next: "install Node 24" }),
}

export const prisma: Examination<ProjectContext> = {
  id: "project/prisma",
  title: "Prisma and its client are installed, in versions that belong together",
  why: "What one version of Prisma generates, another version of its client need not run.",
  examine: ({ project: { root } }) =>
    versionsFit({
      prisma: findPrisma(root)?.version,
      client: installedVersion(root, "@prisma/client"),
      isNamed: namesPrisma(root),
    }),
}

/** The versions of Prisma that this Lockstep supports. */
const majors = { oldest: 5, newest: 7 }

interface Versions {
  readonly prisma: string | undefined
  readonly client: string | undefined
  /** Whether package.json names it, so that to install is enough. */
  readonly isNamed?: boolean
}

function namesPrisma(root: string): boolean {
  const { dependencies, devDependencies } = readManifest(root)
  return "prisma" in dependencies || "prisma" in devDependencies
}

/** Judges the installed versions of Prisma's CLI and of its client. */
export function versionsFit({ prisma, client, isNamed = false }: Versions): Outcome {
  if (prisma === undefined) {
    return warned({
      message: "Prisma is not installed in this project; deploy and status work without it, generate does not",
      next: isNamed ? "`npm install`" : "`npm install --save-dev prisma`",
    })
  }
  const [major = 0, minor = 0] = numbersOf(prisma)
  if (major < majors.oldest || major > majors.newest) {
    return failed({
      message: `Prisma ${prisma} is not supported: Lockstep works with Prisma ${majors.oldest} to ${majors.newest}`,
      next: `\`npm install --save-dev prisma@${majors.newest}\``,
    })
  }
  const [clientMajor, clientMinor] = client === undefined ? [major, minor] : numbersOf(client)
  if (clientMajor !== major || clientMinor !== minor) {
    const problem = {
      message: `Prisma is ${prisma}, its client ${client}: what one generates the other may not run`,
      next: `\`npm install @prisma/client@${prisma}\``,
    }
    return clientMajor === major ? warned(problem) : failed(problem)
  }
  return passed
}

const numbersOf = (version: string): readonly number[] => version.split(".").map((part) => Number.parseInt(part, 10))

function installedVersion(root: string, name: string): string | undefined {
  try {
    const manifest = createRequire(join(root, "package.json")).resolve(`${name}/package.json`)
    return readManifest(join(manifest, "..")).version
  } catch {
    return undefined
  }
}

export const migrations: Examination<ProjectContext> = {
  id: "project/migrations",
  title: "the migrations can be read, and a schema with models has some",
  why: "A schema with models and no migrations is most often a wrong path: a deploy then has nothing to do, and says so too late.",
  examine({ project }) {
    const wrong = otherProvider(readSchemaIfPossible(project.schemaPath).map(({ content }) => content))
    if (wrong !== undefined) {
      const file = relative(project.root, project.schemaPath)
      return failed({ message: `${file} is for "${wrong}", and Lockstep is for PostgreSQL` })
    }
    try {
      const { migrations } = readMigrations(project, { allowEmpty: false })
      const last = migrations.at(-1)?.name
      return last === undefined ? skipped("a new project: no models, no migrations") : passed
    } catch (error) {
      return failed(problemOf(error))
    }
  },
}

/** The schema's provider, where it is not PostgreSQL. */
function otherProvider(texts: readonly string[]): string | undefined {
  const pattern = /^\s*datasource\s+\w+\s*\{[^}]*?^\s*provider\s*=\s*"([^"]+)"/m
  const provider = texts.flatMap((text) => pattern.exec(text)?.[1] ?? [])[0]
  return provider === undefined || /^postgres(ql)?$/.test(provider) ? undefined : provider
}

/** An error as a problem, with what it says itself about what to do. */
export function problemOf(error: unknown): Problem {
  const sqlstate = sqlstateOf(error)
  if (sqlstate !== undefined && error instanceof Error) return { message: `${error.message} (PostgreSQL ${sqlstate})` }
  if (!(error instanceof LockstepError)) throw error
  const { hint, next } = error.details
  return { message: [error.message, hint].filter(Boolean).join("\n"), next }
}
