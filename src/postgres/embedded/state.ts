import { randomBytes } from "node:crypto"
import { chmod, mkdir, open, readFile, rename, rm, stat, writeFile } from "node:fs/promises"
import { join } from "node:path"
import * as z from "zod/mini"
import type { Place } from "./place.js"
import { privateMode } from "./reach.js"

const stateSchema = z.object({
  schema: z.literal("lockstep.test-db-state/2"),
  password: z.string(),
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
  await writeSecret(place, place.stateFile, JSON.stringify({ schema: "lockstep.test-db-state/2", ...state }, null, 2))
}

/** The superuser's password; undefined where there is none yet, or it was removed. */
export async function readPassword(place: Place): Promise<string | undefined> {
  const text = await readFile(place.passwordFile, "utf8").catch(() => "")
  return /^[\w-]{24,}$/.exec(text.trim())?.[0]
}

/** Keeps the superuser's password for the next start. */
export async function writePassword(place: Place, password: string): Promise<void> {
  await writeSecret(place, place.passwordFile, password)
}

/** For the project's owner alone, who may use the server that root started. */
async function writeSecret(place: Place, path: string, text: string): Promise<void> {
  const draft = `${path}.${randomBytes(4).toString("hex")}`
  const file = await open(draft, "wx", 0o600)
  try {
    await file.writeFile(`${text}\n`)
    const { uid, gid } = await stat(place.projectRoot)
    if (process.geteuid?.() === 0) await file.chown(uid, gid).catch(() => {})
  } finally {
    await file.close()
  }
  await rename(draft, path)
}

export async function removeState(place: Place): Promise<void> {
  await rm(place.stateFile, { force: true })
}

/** Makes the project's state folder, which git ignores whatever the project's own .gitignore says. */
export async function ensureFolder(place: Place): Promise<void> {
  try {
    await mkdir(place.folder, { mode: privateMode() })
    await writeFile(join(place.folder, ".gitignore"), "*\n")
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error
    const { mode } = await stat(place.folder)
    // An earlier version made it for everybody to look into. Another user's is left as it is.
    if ((mode & 0o777 & ~privateMode()) !== 0) await chmod(place.folder, mode & privateMode()).catch(() => {})
  }
}
