import { randomBytes, randomUUID } from "node:crypto"
import type { Column } from "./columns.js"
import type { Enums, Field } from "./module.js"

/** Texts that a column's type accepts; any other type takes any text. */
const texts: Readonly<Record<string, () => string>> = {
  uuid: randomUUID,
  inet: () => "192.0.2.1",
  bit: () => "1",
  varbit: () => "1",
  xml: () => "<sample/>",
}

/** A made-up value for a column, as Prisma Client takes it. */
export function sample(field: Field, column: Column, enums: Enums): unknown {
  if (column.type.startsWith("_")) return []
  if (field.kind === "enum") return Object.keys(enums[field.type] ?? {})[0] ?? column.label
  switch (field.type) {
    case "Int":
      return 1
    case "BigInt":
      return 1n
    case "Float":
      return 1.5
    case "Decimal":
      return "1"
    case "Boolean":
      return true
    case "DateTime":
      return new Date()
    case "Json":
      return {}
    case "Bytes":
      return new Uint8Array([1])
    default:
      return (
        texts[column.type]?.() ??
        randomBytes(16)
          .toString("hex")
          .slice(0, column.length ?? 32)
      )
  }
}
