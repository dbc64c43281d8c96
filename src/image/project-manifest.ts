import { readFileSync } from "node:fs"
import { basename, join } from "node:path"
import * as z from "zod/mini"
import { LockstepError } from "../errors.js"

const shape = z.object({
  name: z.optional(z.string()),
  version: z.optional(z.string()),
  repository: z.optional(z.union([z.string(), z.object({ url: z.string() })])),
  lockstep: z._default(z.record(z.string(), z.unknown()), {}),
})

/** What the image takes from the project's package.json. */
export interface ProjectManifest {
  /** Without a scope. The folder's name where the manifest has none. */
  readonly name: string
  readonly version: string | undefined
  readonly repository: string | undefined
  /** The settings of Lockstep. */
  readonly lockstep: Readonly<Record<string, unknown>>
}

/** Reads the project's package.json; a project need not have one. Errors: L1302 it cannot be used. */
export function readProjectManifest(root: string): ProjectManifest {
  const path = join(root, "package.json")
  const nothing = { name: basename(root) || "project", version: undefined, repository: undefined, lockstep: {} }
  let text: string
  try {
    text = readFileSync(path, "utf8")
  } catch {
    return nothing
  }
  try {
    const { name, version, repository, lockstep } = z.parse(shape, JSON.parse(text))
    return {
      name: name?.replace(/^@[^/]*\//, "") ?? nothing.name,
      version,
      repository: typeof repository === "string" ? repository : repository?.url,
      lockstep,
    }
  } catch (cause) {
    throw new LockstepError("L1302", `${path} cannot be used`, {
      hint: cause instanceof Error ? cause.message : undefined,
      cause,
    })
  }
}
