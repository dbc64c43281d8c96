import { writeFile } from "node:fs/promises"
import { dirname, join } from "node:path"
import { writeMigration } from "../../change/migration-file.js"
import { byName, type FolderMigration } from "../../history/folder.js"
import { classify, runsAlone } from "../../sql/classify.js"
import type { Script, Statement } from "../../sql/parse.js"

/** A migration to write. */
export interface Part {
  readonly name: string
  readonly sql: string
}

/**
 * A migration as several ones: the statements in their order, those that need a transaction apart from those that cannot
 * run in one, and the use of an enum value after the migration that adds it. A comment stays with the statement after it.
 * None where a statement's effect ends with the session (SET, a temporary table), or where no names are free.
 */
export function partsOf(migration: FolderMigration, script: Script, names: readonly string[]): readonly Part[] {
  const { name, text: source } = migration
  if (script.statements.some(({ text }) => endsWithSession.test(text))) return []
  const groups = grouped(script.statements)
  const ends = groups.map((group) => endOf(source, group.at(-1)))
  const texts = groups.map((_, index) =>
    source.slice(ends[index - 1] ?? 0, index === groups.length - 1 ? undefined : ends[index]).replace(/^\n+/, ""),
  )
  const following = names.find((other) => byName(other, name) > 0)
  return namesOf(name, texts.length, following).map((each, index) => ({ name: each, sql: texts[index] ?? "" }))
}

const endsWithSession = /^(?:SET(?!\s+LOCAL)|PREPARE|DECLARE|LISTEN|CREATE\s+(?:LOCAL\s+)?TEMP)/i

function grouped(statements: readonly Statement[]): readonly (readonly Statement[])[] {
  const groups: Statement[][] = []
  for (const statement of statements) {
    const group = groups.at(-1)
    if (group && belongs(group, statement)) group.push(statement)
    else groups.push([statement])
  }
  return groups
}

function belongs(group: readonly Statement[], statement: Statement): boolean {
  const alone = group.some(runsAlone)
  if (alone !== runsAlone(statement)) return false
  const together = [...group, statement].map((one, index) => ({ ...one, index }))
  return alone || classify({ kind: "script", statements: together }).class === "transactional"
}

/** The place after a statement's semicolon, and after a comment that follows on its line. */
function endOf(source: string, statement: Statement | undefined): number {
  const end = statement?.end ?? source.length
  const rest = /^(?:\s|--[^\n]*\n|\/\*[\s\S]*?\*\/)*;?[^\S\n]*(?:--[^\n]*)?\n?/.exec(source.slice(end))
  return end + (rest?.[0].length ?? 0)
}

/** Names that sort behind each other and before the following migration: a second apart, or else numbered. */
function namesOf(name: string, count: number, following: string | undefined): readonly string[] {
  const [, stamp, words] = /^(\d{14})_(.*)$/s.exec(name) ?? []
  const numbers = Array.from({ length: count - 1 }, (_, index) => index + 1)
  const apart =
    stamp === undefined ? [] : numbers.map((number) => `${BigInt(stamp) + BigInt(number)}_${words}_${number + 1}`)
  const numbered = numbers.map((number) => `${name}_${number + 1}`)
  const isFree = (names: readonly string[]) =>
    names.length > 0 && names.every((each) => following === undefined || byName(each, following) < 0)
  const chosen = [apart, numbered].find(isFree)
  return chosen === undefined ? [] : [name, ...chosen]
}

/** Writes a migration's parts in its place. Returns what was done. */
export async function split({ name, path }: FolderMigration, parts: readonly Part[]): Promise<readonly string[]> {
  const [first, ...others] = parts
  if (first === undefined) return []
  for (const part of others) await writeMigration(join(dirname(path), ".."), part.name, part.sql)
  await writeFile(path, first.sql)
  return [`split ${name} into ${parts.map((part) => part.name).join(", ")}`]
}
