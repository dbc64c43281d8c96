import { existsSync } from "node:fs"
import { chmod, mkdir, open, rename, rm, stat } from "node:fs/promises"
import { basename, join, resolve } from "node:path"
import { LockstepError } from "../errors.js"
import { quoteIdentifier } from "../postgres/quote.js"
import type { DatabaseUrl } from "../postgres/url.js"
import { type ArchiveNote, archiveName, checksumOfFile, type HistoryState, noteOf } from "./archive.js"
import { call, findProgram } from "./programs.js"

/** A backup to take. */
export interface BackupRequest {
  readonly url: DatabaseUrl
  /** The folder; it is created where it does not exist. */
  readonly dir: string
  /** "schema": the URL's schema alone. */
  readonly scope: ArchiveNote["scope"]
  /** The server's version. */
  readonly server: string
  /** What the history says in the snapshot, or as long as the caller holds the migration lock. */
  readonly history: HistoryState
  /** An exported snapshot that the dump is taken in. */
  readonly snapshot?: string | undefined
  readonly signal: AbortSignal
  /** Receives how much is written, in bytes, twice a second. */
  readonly onProgress: (bytes: number) => void
}

/** A backup that was taken. */
export interface Backup extends ArchiveNote {
  /** Absolute. */
  readonly path: string
  readonly durationMs: number
}

/** How long pg_dump waits for a table that another session has locked exclusively. */
const lockWaitMs = 60_000

/**
 * Backs a database up with pg_dump, in its custom format: a file that only its owner may read, which has its name only
 * when it is whole, and beside it a JSON file with its checksum and what it holds.
 * Errors: L2040, L2041 no pg_dump for this server; L2042 pg_dump failed; L2046 the folder cannot be written;
 * L2048 certificates; L1001 interrupted.
 */
export async function takeBackup(request: BackupRequest): Promise<Backup> {
  const started = performance.now()
  const { url, scope, server, history } = request
  const program = await findProgram("pg_dump", server)
  const dir = resolve(request.dir)
  const unfinished = join(dir, `.${process.pid}-${Math.random().toString(36).slice(2)}.unfinished`)
  const takenAt = new Date().toISOString()
  const about = { database: url.database, scope, databaseSchema: url.schema, takenAt, history }
  try {
    await writing(dir, async () => {
      await mkdir(dir, { recursive: true })
      await (await open(unfinished, "wx", 0o600)).close()
    })
    await dump(request, program, unfinished)
    const sha256 = await checksumOfFile(unfinished)
    const { size: bytes } = await stat(unfinished)
    const path = freeName(dir, archiveName(about))
    const file = basename(path)
    const versions = { server, pgDump: program.version }
    const note: ArchiveNote = { schema: "lockstep.archive/1", file, sha256, bytes, ...about, ...versions }
    await writing(dir, async () => {
      // Whoever finds the archive finds its checksum as well.
      await writeWhole(noteOf(path), `${JSON.stringify(note, null, 2)}\n`)
      await rename(unfinished, path)
    })
    return { ...note, path, durationMs: Math.round(performance.now() - started) }
  } finally {
    // Where the folder cannot be written this fails as well, and the reason is known.
    await rm(unfinished, { force: true }).catch(() => undefined)
  }
}

async function dump(
  { url, scope, snapshot, signal, onProgress }: BackupRequest,
  program: Awaited<ReturnType<typeof findProgram>>,
  file: string,
): Promise<void> {
  const progress = setInterval(() => {
    void stat(file).then(
      ({ size }) => onProgress(size),
      () => undefined,
    )
  }, 500)
  const ended = await call(program, {
    ...{ url, applicationName: "lockstep backup", signal },
    args: [
      "--format=custom",
      "--no-password",
      `--lock-wait-timeout=${lockWaitMs}`,
      `--file=${file}`,
      ...(scope === "schema" ? [`--schema=${quoteIdentifier(url.schema)}`] : []),
      ...(snapshot === undefined ? [] : [`--snapshot=${snapshot}`]),
    ],
  }).finally(() => clearInterval(progress))
  if (ended.state === "done") return await chmod(file, 0o600)
  if (ended.state === "interrupted") throw new LockstepError("L1001", "interrupted", { state: untouched })
  throw new LockstepError("L2042", `${url.display} cannot be backed up: pg_dump failed`, {
    hint: ended.reason,
    state: untouched,
    next: "see what pg_dump reports, then run the same command again; where the role may not read a table, as its owner or as a member of pg_read_all_data",
  })
}

const untouched = "nothing was touched; no backup was kept."

/** The name, or where a file has it, the same with a number. */
function freeName(dir: string, name: string): string {
  for (let number = 1; ; number++) {
    const path = join(dir, number === 1 ? name : name.replace(/\.dump$/, `-${number}.dump`))
    if (!existsSync(path)) return path
  }
}

async function writeWhole(path: string, text: string): Promise<void> {
  const unfinished = `${path}.unfinished`
  const file = await open(unfinished, "w", 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(unfinished, path)
}

async function writing(dir: string, write: () => Promise<void>): Promise<void> {
  try {
    await write()
  } catch (cause) {
    throw new LockstepError("L2046", `the backup cannot be written to ${dir}`, {
      hint: cause instanceof Error ? cause.message : undefined,
      state: untouched,
      next: "name a folder that can be written",
      cause,
    })
  }
}
