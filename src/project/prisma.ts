import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import * as z from "zod/mini"
import { LockstepError } from "../errors.js"

/** The major version of Prisma that this Lockstep goes with. */
export const prismaMajor = 7

const manifest = z.object({ version: z.string(), bin: z.union([z.string(), z.record(z.string(), z.string())]) })

/** Prisma's CLI as installed in a project. */
export interface InstalledPrisma {
  readonly version: string
  /** The script to run with Node. */
  readonly cli: string
}

/** The project's own `prisma`; undefined where it is not installed. */
export function findPrisma(root: string): InstalledPrisma | undefined {
  let path: string
  try {
    path = createRequire(join(root, "package.json")).resolve("prisma/package.json")
  } catch {
    return undefined
  }
  const { version, bin } = z.parse(manifest, JSON.parse(readFileSync(path, "utf8")))
  const script = typeof bin === "string" ? bin : bin.prisma
  return script === undefined ? undefined : { version, cli: join(dirname(path), script) }
}

/** Errors: L1304 a Prisma that is newer than this Lockstep understands. Older ones write the same history. */
export function refuseOtherPrisma(root: string): void {
  const version = findPrisma(root)?.version
  if (version === undefined || Number.parseInt(version, 10) <= prismaMajor) return
  throw new LockstepError(
    "L1304",
    `this project has Prisma ${version}, which has other migrations than Prisma ${prismaMajor}, and Lockstep is for Prisma ${prismaMajor}`,
    {
      state: "nothing was touched.",
      next: `npm install prisma@${prismaMajor} @prisma/client@${prismaMajor}`,
    },
  )
}
