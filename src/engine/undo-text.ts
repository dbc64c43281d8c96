import type { UndoCost } from "./undo-cost.js"

/** What goes into an undo's file. */
export interface UndoText extends UndoCost {
  /** The names of the migrations that it takes back, oldest first. */
  readonly undoes: readonly string[]
  /** Objects for which no SQL could be made. */
  readonly byHand: readonly string[]
  readonly sql: string
}

/** The file: a head of comments that says what it does and what it cannot do, then the SQL. */
export function undoText({ undoes, losses, conditions, byHand, sql }: UndoText): string {
  const head = [
    `Undo: the schema goes back to what it was before ${undoes[0]}.`,
    ...(undoes.length > 1 ? ["It takes back:", ...undoes.map(indented)] : []),
    ...(byHand.length === 0 ? ["Up, undo and up again gave equal schemas on a shadow database."] : []),
    ...section("Data that does not come back:", losses),
    ...section("It works only where the data allows it:", conditions),
    ...section("TO BE WRITTEN BY HAND: these objects are not yet as they were before", byHand),
  ]
  return `${head.map((line) => `-- ${line}`.trimEnd()).join("\n")}\n\n${sql.trim()}\n`
}

const indented = (line: string): string => `  ${line}`
const section = (title: string, lines: readonly string[]): readonly string[] =>
  lines.length === 0 ? [] : ["", title, ...lines.map(indented)]
