import { randomBytes } from "node:crypto"
import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { dirname, join } from "node:path"
import * as z from "zod/mini"
import { LockstepError } from "../errors.js"
import { checksumOf } from "../history/folder.js"
import { addressOf, type FleetTarget } from "./target.js"

/** A run's file: one JSON object a line, appended as targets begin and end, so that a killed run leaves what is known. */
const line = z.discriminatedUnion("event", [
  z.object({
    event: z.literal("began"),
    schema: z.literal("lockstep.fleet-run/1"),
    at: z.string(),
    /** The folder's digest: only with the same migrations is a target still done. */
    history: z.string(),
    targets: z.number(),
  }),
  /** `id`: the target and its address as a hash, which holds no secret and names no server. */
  z.object({ event: z.enum(["started", "done", "failed", "interrupted"]), id: z.string(), name: z.string() }),
])

export type RunLine = z.infer<typeof line>

/** The same name at another address is another target. */
const idOf = (target: FleetTarget): string => checksumOf(`${target.key}\0${addressOf(target)}`).slice(0, 32)

/** Where runs are kept, in the project's folder. */
export const runsFolder = (root: string): string => join(root, ".lockstep", "fleet")

const mostRuns = 20

/** The runs of one command in a project. */
export interface RunsOf {
  /** The project's folder. */
  readonly root: string
  /** "deploy" or "backfill": what one has done the other has not. */
  readonly command: string
}

/** A new run's file in that folder, which git ignores whatever the project's .gitignore contains; its name sorts by time. */
export function newRunFile({ root, command }: RunsOf, now: Date): string {
  mkdirSync(runsFolder(root), { recursive: true })
  const ignore = join(dirname(runsFolder(root)), ".gitignore")
  if (!existsSync(ignore)) writeFileSync(ignore, "*\n")
  return join(
    runsFolder(root),
    `${now.toISOString().replace(/[-:.]/g, "")}-${randomBytes(3).toString("hex")}.${command}.jsonl`,
  )
}

/** The newest file of a command's runs in that folder. Errors: L2005 there is none. */
export function lastRunFile({ root, command }: RunsOf): string {
  const last = runsIn(runsFolder(root)).findLast((name) => name.endsWith(`.${command}.jsonl`))
  if (last !== undefined) return join(runsFolder(root), last)
  throw unusable("there is no run to resume", `no file of a ${command} in ${runsFolder(root)}`)
}

function runsIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith(".jsonl"))
      .sort()
  } catch {
    return []
  }
}

const unusable = (message: string, hint: string, cause?: unknown): LockstepError =>
  new LockstepError("L2005", message, {
    hint,
    state: "nothing was touched.",
    next: "name the file that the run reported (--resume-run FILE), or run without --resume-run: what is applied is found to be applied",
    cause,
  })

/** What a run left: which of these targets it has done, with these migrations. */
export interface EarlierRun {
  /** By their key. */
  readonly done: ReadonlySet<string>
  /** Whether it deployed other migrations: then every target is asked. */
  readonly isOutdated: boolean
}

/** Reads a run's file; a line that was cut off counts as missing. Errors: L2005 it cannot be read, or is none. */
export function readRun(path: string, history: string, targets: readonly FleetTarget[]): EarlierRun {
  let text: string
  try {
    text = readFileSync(path, "utf8")
  } catch (cause) {
    throw unusable("the run to resume cannot be read", cause instanceof Error ? cause.message : String(cause), cause)
  }
  const lines = text.split("\n").flatMap((each) => parseLine(each) ?? [])
  if (lines[0]?.event !== "began") throw unusable("the run to resume cannot be read", `${path} is no run of a fleet`)
  // A run that was resumed has several beginnings; what was done with other migrations does not count.
  const done = new Set<string>()
  let current = ""
  for (const one of lines) {
    if (one.event === "began") current = one.history
    else if (one.event === "done" && current === history) done.add(one.id)
    else done.delete(one.id)
  }
  const isOutdated = current !== history
  return { done: new Set(targets.filter((target) => done.has(idOf(target))).map(({ key }) => key)), isOutdated }
}

function parseLine(text: string): RunLine | undefined {
  try {
    const parsed = z.safeParse(line, JSON.parse(text))
    return parsed.success ? parsed.data : undefined
  } catch {
    return undefined
  }
}

/** Keeps a run's file. */
export interface RunFile {
  readonly path: string
  readonly note: (event: "started" | "done" | "failed" | "interrupted", target: FleetTarget) => void
}

interface Beginning {
  readonly path: string
  readonly history: string
  readonly targets: number
}

/**
 * Begins, or continues, a run's file, readable by its owner alone. Errors: L2005 it cannot be written.
 */
export function openRunFile({ path, history, targets }: Beginning, now: Date): RunFile {
  const append = (value: object) => appendFileSync(path, `${JSON.stringify(value)}\n`, { mode: 0o600 })
  try {
    mkdirSync(dirname(path), { recursive: true })
    append({
      event: "began",
      schema: "lockstep.fleet-run/1",
      at: now.toISOString(),
      history,
      targets,
    } satisfies RunLine)
  } catch (cause) {
    throw unusable("the run's file cannot be written", cause instanceof Error ? cause.message : String(cause), cause)
  }
  return {
    path,
    // A disk that is full meanwhile does not end a fleet: what is not noted is asked again.
    note: (event, target) => {
      try {
        append({ event, id: idOf(target), name: target.name } satisfies RunLine)
      } catch {}
    },
  }
}

/** Removes all but the newest runs of that folder. */
export function removeOldRuns(root: string): void {
  const folder = runsFolder(root)
  for (const name of runsIn(folder).slice(0, -mostRuns)) rmSync(join(folder, name), { force: true })
}
