import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname, join, relative } from "node:path"
import * as z from "zod/mini"
import { LockstepError } from "../errors.js"

const text = z.optional(z.string())
const texts = z.record(z.string(), z.string())

const packagesOf = z.pipe(
  z.object({ packages: z.array(z.string()) }),
  z.transform(({ packages }) => packages),
)

const shape = z.object({
  name: text,
  version: text,
  repository: z.optional(z.union([z.string(), z.object({ url: z.string() })])),
  // Old packages have an object here, or a list of them.
  license: z.catch(text, undefined),
  bin: z.optional(z.union([z.string(), texts])),
  dependencies: z._default(texts, {}),
  devDependencies: z._default(z.catch(texts, {}), {}),
  scripts: z._default(z.catch(texts, {}), {}),
  lockstep: z._default(z.record(z.string(), z.unknown()), {}),
  // yarn 1 also knows an object with the list in it.
  workspaces: z._default(z.catch(z.union([z.array(z.string()), packagesOf]), []), []),
  prisma: z._default(z.object({ schema: text, seed: text }), {}),
})

/**
 * A package.json: the project's own, whose "lockstep" holds Lockstep's settings and whose "prisma" those of Prisma up
 * to version 6, or an installed package's.
 */
export type Manifest = Readonly<z.infer<typeof shape>>

/** Reads a folder's package.json; where there is none, it is as an empty one. Errors: L1302 it cannot be read. */
export function readManifest(dir: string): Manifest {
  const path = join(dir, "package.json")
  const unreadable = (hint: string, cause: unknown): LockstepError => {
    const file = relative(process.cwd(), path)
    return new LockstepError("L1302", `${file} cannot be used`, { file, hint, cause })
  }
  const parsed = z.safeParse(shape, parseIfPresent(path, unreadable))
  if (parsed.success) return parsed.data
  throw unreadable(z.prettifyError(parsed.error), parsed.error)
}

function parseIfPresent(path: string, unreadable: (hint: string, cause: unknown) => LockstepError): unknown {
  let content: string
  try {
    content = readFileSync(path, "utf8")
  } catch {
    return {}
  }
  try {
    return JSON.parse(content.replace(/^\uFEFF/, ""))
  } catch (cause) {
    throw unreadable(cause instanceof Error ? cause.message : String(cause), cause)
  }
}

/** Prisma's CLI as installed in a project. */
interface InstalledPrisma {
  readonly version: string
  /** The script to run with Node. */
  readonly cli: string
}

/** The `prisma` that is installed for a folder, there or in a folder above it; undefined where it is not installed. */
export function findPrisma(folder: string): InstalledPrisma | undefined {
  const dir = prismaFolder(folder)
  if (dir === undefined) return undefined
  const { version, bin } = readManifest(dir)
  const script = typeof bin === "string" ? bin : bin?.prisma
  return version === undefined || script === undefined ? undefined : { version, cli: join(dir, script) }
}

function prismaFolder(folder: string): string | undefined {
  try {
    return dirname(createRequire(join(folder, "package.json")).resolve("prisma/package.json"))
  } catch {
    return undefined
  }
}

/** The major version of Prisma that a folder's project is on: the installed one's. Undefined where it is not known. */
export function prismaMajor(folder: string): number | undefined {
  const major = Number.parseInt(findPrisma(folder)?.version ?? "", 10)
  return Number.isNaN(major) ? undefined : major
}

/** The newest major version of Prisma that this Lockstep supports. */
const newestPrisma = 7

/** Errors: L1304 the project's Prisma is newer than this Lockstep supports. Older ones write the same history. */
export function refuseNewerPrisma(root: string): void {
  const version = findPrisma(root)?.version
  if (version === undefined || Number.parseInt(version, 10) <= newestPrisma) return
  throw new LockstepError(
    "L1304",
    `this project has Prisma ${version}, which is another product than Prisma ${newestPrisma} and has no migrations of a Prisma schema`,
    {
      state: "nothing was touched; deploy and status of the existing migrations work all the same.",
      next: `\`npm install prisma@${newestPrisma} @prisma/client@${newestPrisma}\` to keep these migrations`,
    },
  )
}
