import { randomBytes, randomUUID } from "node:crypto"
import { LockstepError } from "../errors.js"
import type { FolderMigration } from "./folder.js"

/** A migration that a squashed one takes the place of. */
export interface Replaced {
  readonly name: string
  readonly checksum: string
  /** Where it was a squashed one itself: what that took the place of, oldest first. */
  readonly replaces: readonly Replaced[]
}

/** What makes a migration a squashed one. */
export interface Squash {
  /** Oldest first; the last one has the squashed migration's own name. */
  readonly replaces: readonly Replaced[]
}

const mark = "-- lockstep-squash "
const listMark = "-- lockstep-squash replaces:"

/** The first line of a squashed migration's file. */
export const squashMark = (count: number): string => `${mark}${count}`

/**
 * The end of its file: the checksum and the name of each replaced migration, those of an earlier squash indented. It is
 * a part of migration.sql so that whatever carries the migration carries it, and its checksum covers it.
 */
export function replacedList(replaces: readonly Replaced[]): string {
  const lines = (all: readonly Replaced[], indent: string): readonly string[] =>
    all.flatMap((one) => [`--${indent}${one.checksum} ${one.name}`, ...lines(one.replaces, `${indent}  `)])
  return `${[listMark, ...lines(replaces, "  ")].join("\n")}\n`
}

/** What a migration's text says that it replaces; undefined for an ordinary one. Errors: L1850 the list is not whole. */
export function readSquash(name: string, text: string): Squash | undefined {
  if (!text.startsWith(mark)) return undefined
  const [, list = ""] = text.split(listMark)
  const replaces = parseList(list.split(/\r?\n/))
  const count = Number(/^\d+/.exec(text.slice(mark.length))?.[0])
  if (replaces.length === count && replaces.at(-1)?.name === name) return { replaces }
  throw new LockstepError("L1850", `the squashed migration ${name} does not list what it replaces`, {
    hint: `Its first line promises ${count} migrations, the last of them ${name}; the list at its end has ${replaces.length}, the last of them ${replaces.at(-1)?.name ?? "none"}.`,
    state: "nothing was touched.",
    next: `restore the file as \`lockstep squash\` wrote it: git checkout -- the folder ${name}`,
  })
}

/** The names of all replaced migrations, those of earlier squashes too, each once. */
export const replacedNames = (replaces: readonly Replaced[]): readonly string[] => [
  ...new Set(replaces.flatMap((one) => [one.name, ...replacedNames(one.replaces)])),
]

interface Entry extends Replaced {
  readonly replaces: Entry[]
}

function parseList(lines: readonly string[]): readonly Replaced[] {
  const levels: Entry[][] = [[]]
  for (const line of lines) {
    const [, indent = "", checksum, name] = /^--((?: {2})+)([0-9a-f]{64}) (.+)$/.exec(line) ?? []
    if (checksum === undefined || name === undefined) continue
    const entry: Entry = { name, checksum, replaces: [] }
    const depth = indent.length / 2
    levels[depth - 1]?.push(entry)
    levels.length = Math.min(levels.length, depth)
    levels[depth] = entry.replaces
  }
  return levels[0] ?? []
}

/** Errors: L1850 a migration that a squashed one replaces is still in the folder. */
export function refuseReplaced(migrations: readonly FolderMigration[]): void {
  for (const { name, squash } of migrations) {
    if (squash === undefined) continue
    const replaced = new Set(squash.replaces.map((one) => one.name))
    const left = migrations.filter((one) => one.name !== name && replaced.has(one.name))
    if (left.length === 0) continue
    throw new LockstepError("L1850", `${name} replaces ${left.length} migrations that are still in the folder`, {
      hint: left
        .slice(0, 10)
        .map((one) => one.name)
        .join("\n"),
      state: "nothing was touched.",
      next: "remove them where the history is to stay squashed; or go back to before the squash: git checkout",
    })
  }
}

const idPrefix = "squash-"

/**
 * The id of a new history row. That of a squashed migration holds the digest of what it replaced, so that a deploy of an
 * older release, whose folder still has those migrations, sees that they are applied.
 */
export function rowIdFor({ squash }: FolderMigration, digest: (replaces: readonly Replaced[]) => string): string {
  if (squash === undefined) return randomUUID()
  return `${idPrefix}${digest(squash.replaces).slice(0, digits)}-${randomBytes(6).toString("hex")}`
}

/** As many as fit with the rest into Prisma's 36 characters. */
const digits = 16

/** The beginning of the digest of what a row's squashed migration replaced; undefined for any other row. */
export const replacedDigestOf = (id: string): string | undefined =>
  id.startsWith(idPrefix) ? id.slice(idPrefix.length, idPrefix.length + digits) : undefined
