import { createHash } from "node:crypto"
import { existsSync, readdirSync } from "node:fs"
import { mkdir, rename, rm, writeFile } from "node:fs/promises"
import { basename, dirname, join, relative } from "node:path"
import { execa } from "execa"
import { LockstepError } from "../errors.js"
import { prismaEnvironment } from "../project/environment.js"
import { findPrisma } from "../project/manifest.js"
import type { Project } from "../project/project.js"
import type { SchemaFiles } from "../project/schema.js"
import { type ClientGenerator, clientGenerators } from "./module.js"

/** Prisma's CLI loads the prisma.config also for what needs no database. Source: RFC 2606, no name under .invalid exists. */
const nowhere = "postgresql://unset@database.invalid:5432/unset"

/** Of other schemas of the project; each is a few megabytes. */
const mostKept = 3

/**
 * Generates a client from another schema than the project's own, such as an earlier release's, with the project's Prisma,
 * into a folder of .lockstep. The same schema is generated once.
 * Errors: L1905 the schema has no generator of Prisma Client, Prisma is not installed, or it fails.
 */
export async function generateClientOf(project: Project, schema: SchemaFiles): Promise<ClientGenerator> {
  const prisma = findPrisma(project.root)
  if (prisma === undefined) throw notGenerated("Prisma's CLI is not installed in this project", undefined)
  const text = JSON.stringify([prisma.version, schema.map(({ path, content }) => [basename(path), content])])
  const parent = join(project.root, ".lockstep/clients")
  const folder = join(parent, createHash("sha256").update(text).digest("hex").slice(0, 16))
  const files = withOutput(schema, folder)
  const generator = clientGenerators(files)[0]
  if (generator === undefined) throw notGenerated("the schema has no generator of Prisma Client", undefined)
  if (existsSync(folder)) return generator
  const draft = `${folder}.${process.pid}`
  try {
    await mkdir(join(draft, "schema"), { recursive: true })
    for (const { path, content } of withOutput(schema, folder))
      await writeFile(join(draft, relative(folder, path)), content)
    await generate(project, prisma.cli, join(draft, "schema"))
    await rename(draft, folder).catch(() => undefined)
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
  await removeOthers(parent, basename(folder))
  return generator
}

/** The schema's files in `<folder>/schema`, its first generator of Prisma Client alone, which writes to `<folder>/client`. */
function withOutput(schema: SchemaFiles, folder: string): SchemaFiles {
  const root = commonFolder(schema)
  let kept = false
  return schema.map(({ path, content }) => ({
    path: join(folder, "schema", relative(root, path)),
    content: content.replaceAll(/^\s*generator\s+\w+\s*\{[^}]*\}/gm, (block) => {
      if (kept || !/provider\s*=\s*"prisma-client(?:-js)?"/.test(block)) return ""
      kept = true
      const body = block.replaceAll(/^\s*(?:output|binaryTargets|engineType)\s*=.*$/gm, "")
      return body.replace(/\}$/, '  output = "../client"\n}')
    }),
  }))
}

const commonFolder = (schema: SchemaFiles): string =>
  schema.map(({ path }) => dirname(path)).reduce((one, other) => (one.length <= other.length ? one : other))

async function generate({ root, configPath }: Project, cli: string, schemaFolder: string): Promise<void> {
  const config = configPath ? ["--config", configPath] : []
  const only = readdirSync(schemaFolder).filter((name) => name.endsWith(".prisma"))
  const schema = only.length === 1 ? join(schemaFolder, only[0] ?? "") : schemaFolder
  const result = await execa(process.execPath, [cli, "generate", "--schema", schema, ...config], {
    cwd: root,
    env: { ...prismaEnvironment(), DATABASE_URL: process.env.DATABASE_URL || nowhere },
    reject: false,
    all: true,
  })
  if (result.failed) throw notGenerated("the client cannot be generated", result.all.trim())
}

async function removeOthers(parent: string, kept: string): Promise<void> {
  const others = readdirSync(parent).filter((name) => name !== kept)
  for (const name of others.slice(0, Math.max(0, others.length - mostKept + 1)))
    await rm(join(parent, name), { recursive: true, force: true })
}

const notGenerated = (message: string, hint: string | undefined): LockstepError =>
  new LockstepError("L1905", message, { hint, next: "see that `prisma generate` works with that schema" })
