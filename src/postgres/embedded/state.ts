import { randomBytes } from "node:crypto"
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"
import * as z from "zod/mini"
import type { Place } from "./place.js"

const stateSchema = z.object({
  schema: z.literal("lockstep.test-db-state/1"),
  url: z.string(),
  port: z.int().check(z.minimum(1), z.maximum(65_535)),
  pid: z.int().check(z.minimum(2)),
  dataDir: z.string(),
  version: z.string(),
})

/** The content of `.lockstep/test-db.json`: the server that `up` started last. */
export type State = Readonly<z.infer<typeof stateSchema>>

/** The recorded server. A file that is missing or damaged says nothing: `up` finds out again what is true. */
export async function readState(place: Place): Promise<State | undefined> {
  try {
    return stateSchema.parse(JSON.parse(await readFile(place.stateFile, "utf8")))
  } catch {
    return undefined
  }
}

/** Records a server, whole or not at all. */
export async function writeState(place: Place, state: Omit<State, "schema">): Promise<void> {
  const draft = `${place.stateFile}.${randomBytes(4).toString("hex")}`
  await writeFile(draft, `${JSON.stringify({ schema: "lockstep.test-db-state/1", ...state }, null, 2)}\n`)
  await rename(draft, place.stateFile)
}

export async function removeState(place: Place): Promise<void> {
  await rm(place.stateFile, { force: true })
}

/** Makes the project's state folder, which git ignores whatever the project's own .gitignore says. */
export async function ensureFolder(place: Place): Promise<void> {
  try {
    await mkdir(place.folder)
    await writeFile(join(place.folder, ".gitignore"), "*\n")
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error
  }
}
