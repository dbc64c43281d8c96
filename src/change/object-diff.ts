import type { CatalogDifference, CatalogObject } from "../postgres/catalog.js"
import { changesAfter, dropsBefore } from "./undo-file.js"

/** What the catalogs of two databases differ in, beside what the schema engine has said. */
export interface ObjectDifference extends CatalogDifference {
  /** Whether the engine finds the databases equal: then every object counts, not only those of a kind that it does not see. */
  readonly engine: "equal" | "different"
  /** Tables and enums that are left alone, with or without their schema. */
  readonly external: readonly string[]
}

/** The objects that count: without external ones, and without what the engine has said itself. */
export function notSeen({ onlyFirst, onlySecond, engine, external }: ObjectDifference): CatalogDifference {
  const counts = (others: readonly CatalogObject[]) => (object: CatalogObject) =>
    !isExternal(object, external) && (engine === "equal" || isUnseen(object, others))
  return { onlyFirst: onlyFirst.filter(counts(onlySecond)), onlySecond: onlySecond.filter(counts(onlyFirst)) }
}

/** Prisma's engine compares tables, columns, enums, keys and plain indexes. A sequence comes and goes with its column. */
function isUnseen({ kind, name, definition }: CatalogObject, others: readonly CatalogObject[]): boolean {
  switch (kind) {
    case "column":
    case "enum":
    case "extension":
    case "sequence":
      return false
    case "table":
      return others.some((other) => other.kind === kind && other.name === name)
    case "constraint":
      return /^(?:CHECK|EXCLUDE)\b/.test(definition)
    case "index":
      return !plainIndex.test(definition)
    default:
      return true
  }
}

/** Of columns alone, whole, and with nothing that the engine does not compare. */
const plainIndex = /^CREATE (?:UNIQUE )?INDEX .* USING \w+ \((?:(?:"(?:[^"]|"")+"|\w+)(?: (?:ASC|DESC))?(?:, |\)$))+$/

function isExternal({ name, definition }: CatalogObject, external: readonly string[]): boolean {
  const [plain, on] = [name, / ON (\S+) USING /.exec(definition)?.[1] ?? ""].map((text) => text.replaceAll('"', ""))
  return external.some((table) => {
    const isIt = (text = "") => text === table || text.startsWith(`${table}.`)
    const withoutSchema = (text = "") => text.slice(text.indexOf(".") + 1)
    return [plain, on].some((text) => isIt(text) || (!table.includes(".") && isIt(withoutSchema(text))))
  })
}

/** One line an object, as the engine's own summary is written. */
export function objectSummary({ onlyFirst, onlySecond }: CatalogDifference): string {
  const [before, after] = [onlyFirst, onlySecond].map((all) => new Set(all.map(({ kind, name }) => `${kind} ${name}`)))
  const all = [...new Set([...(before ?? []), ...(after ?? [])])].sort()
  const word = (object: string) =>
    !after?.has(object) ? "[-] Removed" : before?.has(object) ? "[*] Changed" : "[+] Added"
  return all.map((object) => `${word(object)} ${object}`).join("\n")
}

/** The SQL around the engine's that leads from the first to the second; what cannot be generated is a comment. */
export function objectScript(difference: CatalogDifference, engineScript: string): string {
  const { onlyFirst, onlySecond } = difference
  // A check or an index would go with its column; a function or a type may be used until the engine's SQL has run.
  const inTables = onlyFirst.filter(({ kind }) => kind === "constraint" || kind === "index").toReversed()
  const drops = [...dropsBefore(difference), ...inTables.map(({ drop }) => drop)]
  const left = onlyFirst.filter(({ drop }) => !drops.includes(drop))
  const byHand = onlySecond.filter(({ create }) => create === "")
  const statements = (all: readonly string[]) => all.map((statement) => `${statement};`)
  return [
    ...statements(drops),
    engineScript.trim(),
    ...statements(changesAfter({ onlyFirst: left, onlySecond })),
    ...byHand.map(({ kind, name, definition }) => `-- By hand: ${kind} ${name} ${definition.replaceAll(/\s+/g, " ")}`),
  ]
    .filter(Boolean)
    .join("\n\n")
}
