import { readFileSync } from "node:fs"
import { join } from "node:path"
import * as z from "zod/mini"
import { LockstepError } from "../errors.js"

const text = z.optional(z.string())

const shape = z.object({
  lockstep: z._default(z.record(z.string(), z.unknown()), {}),
  prisma: z._default(z.object({ schema: text, seed: text }), {}),
})

/** What a project's package.json says to Lockstep, and (up to version 6) to Prisma. */
export type Manifest = z.infer<typeof shape>

/** Reads package.json; empty where there is none. Errors: L1302 it is not JSON, or these sections are no objects. */
export function readManifest(root: string): Manifest {
  const path = join(root, "package.json")
  let content: string
  try {
    content = readFileSync(path, "utf8")
  } catch {
    return { lockstep: {}, prisma: {} }
  }
  const parsed = z.safeParse(shape, parseJson(content.replace(/^\uFEFF/, "")))
  if (parsed.success) return parsed.data
  throw unreadable(z.prettifyError(parsed.error), parsed.error)
}

function parseJson(content: string): unknown {
  try {
    return JSON.parse(content)
  } catch (cause) {
    throw unreadable(cause instanceof Error ? cause.message : "", cause)
  }
}

const unreadable = (hint: string, cause: unknown): LockstepError =>
  new LockstepError("L1302", 'package.json cannot be read as JSON with objects "lockstep" and "prisma"', {
    file: "package.json",
    hint,
    cause,
  })
