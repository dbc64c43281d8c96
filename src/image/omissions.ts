import { mkdtemp, realpath, rm, writeFile } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { execa } from "execa"
import { LockstepError } from "../errors.js"
import { app } from "./write.js"

/** A package, or files of one, that the image leaves out, and what they are for. */
interface Omission {
  /** The package's name; `*` at its end matches any rest. */
  readonly package: string
  /** Files left out, by their path in the package; absent: the whole package, and so what only it needs. */
  readonly files?: RegExp
  readonly why: string
}

/**
 * What is left out of Prisma's CLI. It lists omissions and not needs, so that whatever a later release adds is included
 * until it is measured; what a later release does load is found by checkPrismaLoads(). Measured by the files that
 * `migrate deploy|status|resolve|diff` of Prisma 7.10 open.
 */
const omissions: readonly Omission[] = [
  { package: "@electric-sql/*", why: "the database of `prisma dev`" },
  { package: "@prisma/query-plan-executor", why: "the proxy of `prisma dev`" },
  { package: "@prisma/streams-local", why: "the event streams of `prisma dev`" },
  {
    package: "@prisma/dev",
    files: /^dist\/(?!state\.)/,
    why: "the server of `prisma dev`; only its list of running servers is loaded at start",
  },
  { package: "mysql2", why: "Prisma Studio's driver for MySQL" },
  { package: "postgres", why: "Prisma Studio's driver for PostgreSQL" },
  { package: "@radix-ui/*", why: "Prisma Studio's pages" },
  { package: "@visx/*", why: "Prisma Studio's pages" },
  { package: "d3-*", why: "Prisma Studio's pages" },
  { package: "elkjs", why: "Prisma Studio's pages" },
  {
    package: "@prisma/studio-core",
    files: /^dist\/(?!data\/)|\.js$/,
    why: "Prisma Studio's pages, and its ES modules",
  },
  { package: "prisma", files: /^build\/studio\./, why: "Prisma Studio" },
  { package: "prisma", files: /^build\/query_(compiler|engine)_/, why: "Prisma Client's engines: for `generate`" },
  {
    package: "@prisma/engines",
    files: /^(lib)?(query|schema)[-_]engine/,
    why: "native engines, of Prisma 5 and 6; Lockstep's schema engine is used, and migrations need no other",
  },
  {
    package: "prisma",
    files: /^build\/schema_engine_bg\.wasm$/,
    why: "for engines in a prisma.config; Lockstep's is used",
  },
  { package: "prisma", files: /^build\/(child\.js|xdg-open)$/, why: "requests to Prisma's servers; a browser" },
  { package: "prisma", files: /^(preinstall|scripts)\//, why: "install scripts" },
  { package: "@prisma/get-platform", files: /^dist\/test-utils\//, why: "its tests" },
  { package: "effect", files: /^(src|dist\/(esm|dts))\//, why: "sources and ES modules; Prisma loads dist/cjs" },
  { package: "fast-check", files: /^lib\/(esm|types)\//, why: "ES modules and types; Prisma loads CommonJS" },
  { package: "*", files: /\.(d\.[cm]?ts|map|tsbuildinfo)$/, why: "types and source maps" },
  { package: "*", files: /(^|\/)(README|CHANGELOG|HISTORY|CONTRIBUTING)(\.[a-z]+)?$/i, why: "documentation" },
  { package: "*", files: /(^|\/)(node_modules|__tests__)\//, why: "dependencies have their own folder; tests" },
]

const matches = (pattern: string, name: string): boolean =>
  pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern

/** Whether a package is left out as a whole. */
export const omitsPackage = (name: string, kept: readonly string[]): boolean =>
  !kept.includes(name) && omissions.some((one) => one.files === undefined && matches(one.package, name))

/** Whether a file of a package is left out; `path` is relative to the package, with forward slashes. */
export const omitsFile = (name: string, path: string, kept: readonly string[]): boolean =>
  omissions.some(
    (one) =>
      one.files?.test(path) === true && matches(one.package, name) && (one.package === "*" || !kept.includes(name)),
  )

const datasource = (lines: string): string => `datasource db {\n  provider = "postgresql"\n${lines}}\n`

/** A project for each major version that Prisma's CLI can load. */
const projectFor = (major: number): Readonly<Record<string, string>> =>
  major < 7
    ? {
        "package.json": '{ "prisma": { "schema": "schema.prisma" } }\n',
        "schema.prisma": datasource('  url = "postgresql://localhost/none"\n'),
      }
    : {
        "prisma.config.mjs":
          'export default { schema: "schema.prisma", datasource: { url: "postgresql://localhost/none" } }\n',
        "schema.prisma": datasource(""),
      }

/** Prisma's CLI: its script in its package, and its version. */
interface PrismaScript {
  readonly script: string
  readonly version: string
}

/**
 * Starts Prisma's CLI from a layer alone, with a configuration and a schema to load. A package or file that this release
 * of Prisma needs and that is left out is found before the image is written. Errors: L1603 it does not start.
 */
export async function checkPrismaLoads(layer: string, { script, version }: PrismaScript): Promise<void> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "lockstep-image-")))
  try {
    const files = projectFor(Number.parseInt(version, 10))
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)
    const result = await execa(process.execPath, [join(layer, app, "node_modules/prisma", script), "validate"], {
      cwd: folder,
      env: {
        PATH: process.env.PATH,
        HOME: folder,
        CHECKPOINT_DISABLE: "1",
        PRISMA_HIDE_UPDATE_MESSAGE: "1",
        // Without them the CLI downloads them; `validate` starts neither.
        PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
        PRISMA_QUERY_ENGINE_LIBRARY: process.execPath,
      },
      extendEnv: false,
      reject: false,
      all: true,
    })
    if (!result.failed) return
    const missing = /Cannot find (?:module|package) '((?:@[^/']+\/)?[^/'.][^/']*)/.exec(result.all)?.[1]
    throw new LockstepError("L1603", "Prisma's CLI does not start from the files that the image would contain", {
      hint: result.all.trim().split("\n").slice(0, 12).join("\n"),
      state: "no image was written.",
      next: missing
        ? `\`lockstep image --keep ${missing}\``
        : "add the missing package with --keep PACKAGE, or leave the CLI out with --slim",
    })
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
