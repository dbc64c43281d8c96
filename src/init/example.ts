import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname, join, relative, resolve, sep } from "node:path"
import { LockstepError } from "../errors.js"
import { readManifest } from "../project/manifest.js"
import { version } from "../version.js"

/** This package's folder, wherever it is installed: the example is this repository's own prisma/. */
const packageFolder = (): string => dirname(createRequire(import.meta.url).resolve("prisma-lockstep/package.json"))

const scripts = {
  "test-db": "lockstep test-db up --deploy",
  "db:migrate": "lockstep migrate",
  "db:deploy": "lockstep deploy",
  "db:status": "lockstep status",
  "db:push": "lockstep push",
  "db:generate": "lockstep generate",
  clean: "lockstep test-db down",
}

/** Made in a project by a configuration of this shape, Prisma's own commands run on Lockstep's engine, too. */
const config = `import { defineConfig } from "prisma/config"
import { lockstep } from "prisma-lockstep/config"

export default defineConfig(
  await lockstep({
    schema: "prisma/schema.prisma",
    migrations: { path: "prisma/migrations", seed: "jiti prisma/seed.ts" },
  }),
)
`

/** An example project that was made. */
export interface Example {
  /** Absolute. */
  readonly folder: string
  readonly files: readonly string[]
  readonly migrations: number
}

/**
 * Makes the example: a small shop with its schema, migrations, seed and scripts.
 * Errors: L1703 the folder exists and is not empty.
 */
export function makeExample(named: string): Example {
  const folder = resolve(named)
  refuseUsed(folder, named)
  const source = packageFolder()
  const copied = filesBelow(join(source, "prisma")).map((path) => {
    const text = readFileSync(path, "utf8")
    return [relative(source, path).split(sep).join("/"), text] as const
  })
  const files = [
    ["package.json", `${JSON.stringify(manifest(source, folder), null, 2)}\n`],
    ["prisma.config.ts", config],
    [".gitignore", "node_modules/\n.lockstep/\n.env\nsrc/generated/\n"],
    ...copied,
  ] as const
  for (const [path, text] of files) {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text, { flag: "wx" })
  }
  const paths = files.map(([path]) => path)
  return { folder, files: paths, migrations: paths.filter((path) => path.endsWith("/migration.sql")).length }
}

function refuseUsed(folder: string, named: string): void {
  if (entriesOf(folder).every((name) => name === ".git")) return
  throw new LockstepError("L1703", `the folder ${named} is not empty`, {
    state: "nothing was written.",
    next: "name another one: `lockstep init --example other-shop`",
  })
}

function entriesOf(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
  } catch (cause) {
    if (cause instanceof Error && "code" in cause && cause.code === "ENOENT") return []
    throw cause
  }
}

const filesBelow = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()

/** With the versions that the example is tested with. */
function manifest(source: string, folder: string): object {
  const own = readManifest(source)
  const versions = { ...own.devDependencies, ...own.dependencies }
  const pick = (...names: readonly string[]) => Object.fromEntries(names.map((name) => [name, versions[name] ?? "*"]))
  return {
    name:
      folder
        .split(sep)
        .at(-1)
        ?.toLowerCase()
        .replaceAll(/[^a-z0-9-]+/g, "-") || "shop",
    private: true,
    type: "module",
    scripts,
    dependencies: pick("@prisma/adapter-pg", "@prisma/client"),
    devDependencies: { ...pick("jiti", "prisma"), "prisma-lockstep": `^${version}` },
  }
}
