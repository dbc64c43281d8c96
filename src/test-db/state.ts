import { randomBytes } from "node:crypto"
import { chmod, mkdir, open, readFile, rename, rm, stat, writeFile } from "node:fs/promises"
import { join } from "node:path"
import * as z from "zod/mini"
import { type Paths, privateMode } from "./paths.js"

const stateSchema = z.object({
  schema: z.literal("lockstep.test-db-state/2"),
  password: z.string(),
  port: z.int().check(z.minimum(1), z.maximum(65_535)),
  pid: z.int().check(z.minimum(2)),
  dataDir: z.string(),
  version: z.string(),
})

/** The content of `.lockstep/test-db.json`: the server that `up` started last. */
type ServerState = Readonly<Omit<z.infer<typeof stateSchema>, "schema">>

/** The server that `up` started last; undefined where the file is missing or damaged. */
export async function readState(paths: Paths): Promise<ServerState | undefined> {
  try {
    return stateSchema.parse(JSON.parse(await readFile(paths.stateFile, "utf8")))
  } catch {
    return undefined
  }
}

/** Records a server in one step: another process never reads half of it. */
export async function writeState(paths: Paths, state: ServerState): Promise<void> {
  await writeSecret(paths, paths.stateFile, JSON.stringify({ schema: "lockstep.test-db-state/2", ...state }, null, 2))
}

/** Forgets the recorded server. */
export async function removeState(paths: Paths): Promise<void> {
  await rm(paths.stateFile, { force: true })
}

/** The superuser's password; undefined where none was made yet, or its file was removed. */
export async function readPassword(paths: Paths): Promise<string | undefined> {
  const text = await readFile(paths.passwordFile, "utf8").catch(() => "")
  return /^[\w-]{24,}$/.exec(text.trim())?.[0]
}

/** Keeps the superuser's password for the next start. */
export async function writePassword(paths: Paths, password: string): Promise<void> {
  await writeSecret(paths, paths.passwordFile, password)
}

/** Only the owner of the project may read it, who may also use the server that root started. */
async function writeSecret(paths: Paths, path: string, text: string): Promise<void> {
  const draft = `${path}.${randomBytes(4).toString("hex")}`
  const file = await open(draft, "wx", 0o600)
  try {
    await file.writeFile(`${text}\n`)
    const { uid, gid } = await stat(paths.projectRoot)
    if (process.geteuid?.() === 0) await file.chown(uid, gid).catch(() => {})
  } finally {
    await file.close()
  }
  await rename(draft, path)
}

/** Makes the project's state folder, which git ignores whatever the project's .gitignore contains. */
export async function ensureStateFolder({ stateFolder }: Paths): Promise<void> {
  try {
    await mkdir(stateFolder, { mode: privateMode() })
    await writeFile(join(stateFolder, ".gitignore"), "*\n")
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error
    const { mode } = await stat(stateFolder)
    // Earlier versions made it readable for everybody. Another user's folder cannot be changed.
    if ((mode & 0o777 & ~privateMode()) !== 0) await chmod(stateFolder, mode & privateMode()).catch(() => {})
  }
}
