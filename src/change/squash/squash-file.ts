import { type Replaced, replacedList, squashMark } from "../../history/squash.js"
import { quoteIdentifier } from "../../postgres/quote.js"
import type { Unrepeated } from "./repeatable.js"

/** What goes into a squashed migration's file. */
interface SquashText {
  readonly replaces: readonly Replaced[]
  readonly statements: readonly string[]
  /** How many rows they leave in an empty database. */
  readonly rows: number
  readonly unrepeated: readonly Unrepeated[]
}

/** The file: what it is, the statements, and the list of what it replaces. */
export function squashText({ replaces, statements, rows, unrepeated }: SquashText): string {
  const [first, last] = [replaces[0]?.name, replaces.at(-1)?.name]
  const head = [
    `${squashMark(replaces.length)} migrations in one, from ${first} up to ${last}.`,
    "-- Written by `lockstep squash`; its checksum is recorded, so do not edit it after it was deployed.",
    "-- An empty database runs it. Where all of them are applied, `lockstep deploy` runs nothing of it: it puts this",
    "-- migration's row into the history in the place of theirs.",
    "-- Verified on scratch databases: the same objects, privileges and rows as they make.",
    ...(rows > 0 ? [`-- The rows that they leave in an empty database are inserted: ${rows}.`] : []),
    ...notesOf(unrepeated).map(comment),
  ]
  const list = replacedList(replaces)
  return `${head.join("\n")}\n\n${statements.map((each) => `${each};\n`).join("\n")}\n${list}`
}

/** What becomes of values that no replay repeats: one sentence for each way. */
export function notesOf(columns: readonly Unrepeated[]): readonly string[] {
  const ways = [...new Set(columns.map(({ substitute }) => substitute))]
  return ways.map((way) => {
    const names = columns
      .filter(({ substitute }) => substitute === way)
      .map(({ table, column }) => `${table}.${quoteIdentifier(column.name)}`)
    const here = way ?? "those of one replay, the same in every new database"
    return `Each replay makes other values; here they are ${here}: ${names.join(", ")}`
  })
}

const widest = 118

/** A text as lines of a comment. */
function comment(text: string): string {
  const lines: string[] = []
  let line = "--"
  for (const word of text.split(" ")) {
    if (line.length + word.length >= widest) {
      lines.push(line)
      line = "--  "
    }
    line += ` ${word}`
  }
  return [...lines, line].join("\n")
}
