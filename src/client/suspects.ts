import type { Column, Pair } from "./rows.js"

/** Columns, by what is known of them. */
export interface Suspects {
  /** The client's fields that hold them. */
  readonly fields: readonly string[]
  /** Columns that the client does not know, and would have to fill. */
  readonly unfilled: readonly string[]
}

/** An error, as far as it can be told without the server's words, which may be in any language. */
export interface Reason {
  readonly message: string
  readonly sqlstate: string | undefined
}

/** not_null_violation. */
export const notNullViolation = "23502"

/** By what has changed of the table's columns since the client was generated; nothing where several may be to blame. */
export function suspectsOf(known: readonly Pair[], now: readonly Column[], { sqlstate }: Reason): Suspects {
  const after = new Map(now.map((column) => [column.name, column]))
  const isForced = (column: Column | undefined) => column?.required === true
  if (sqlstate === notNullViolation) {
    const before = new Set(known.map(({ column }) => column.name))
    return {
      fields: named(known.filter(({ column }) => isForced(after.get(column.name)) && !column.required)),
      unfilled: now.filter((column) => isForced(column) && !before.has(column.name)).map(({ name }) => name),
    }
  }
  const changed = known.filter(({ column }) => JSON.stringify(column) !== JSON.stringify(after.get(column.name)))
  return { fields: changed.length === 1 ? named(changed) : [], unfilled: [] }
}

const named = (known: readonly Pair[]): readonly string[] => known.map(({ field }) => field.name)
