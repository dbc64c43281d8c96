import { LockstepError } from "../../errors.js"
import type { SchemaName } from "../../project/schema-blocks.js"
import type { Gone } from "./candidates.js"
import type { Rename } from "./rename.js"

/** How things may be spelled beside their names in the database. */
export interface Spellings {
  /** The names in the Prisma schema as it is now. */
  readonly names: readonly SchemaName[]
}

/**
 * The new name that `User.name=displayName` gives to a thing that is gone; undefined where it is about another one. Both
 * sides may be spelled as in the database or as in the Prisma schema; a table by its old or its new name.
 */
export function matches(
  told: string,
  gone: Gone,
  { names, renames }: Spellings & { readonly renames: readonly Rename[] },
): string | undefined {
  const [left = "", right = ""] = told.split(/=(.*)/s).map((side) => side.trim())
  const inSchema = (name: string) => [name, `${gone.schema}.${name}`]
  const parents = gone.parent === undefined ? [] : parentNames(gone.parent, names, renames).flatMap(inSchema)
  const lefts = gone.parent === undefined ? inSchema(gone.name) : parents.map((parent) => `${parent}.${gone.name}`)
  if (!lefts.includes(left)) return undefined
  return gone.fresh.find((fresh) => {
    const spelled = [fresh, ...schemaSpellings(fresh, gone, names)]
    return spelled.some((name) => name === right || parents.some((parent) => `${parent}.${name}` === right))
  })
}

/** A table's or an enum's name now, before, and in the Prisma schema. */
function parentNames(parent: string, names: readonly SchemaName[], renames: readonly Rename[]): readonly string[] {
  const before = renames.filter(({ kind, to }) => (kind === "table" || kind === "enum") && to === parent)
  const models = names.filter(({ mapped }) => mapped === parent)
  return [parent, ...before.map(({ from }) => from), ...models.map(({ name }) => name)]
}

function schemaSpellings(fresh: string, { kind, parent }: Gone, names: readonly SchemaName[]): readonly string[] {
  if (kind === "table" || kind === "enum") return names.filter(({ mapped }) => mapped === fresh).map(({ name }) => name)
  const fields = names.filter(({ mapped }) => mapped === parent).flatMap((each) => [...each.fields])
  return fields.filter(([, mapped]) => mapped === fresh).map(([name]) => name)
}

/** A rename as the flag that tells it: `--rename User.name=displayName`, ready to paste into a shell. */
export function flagFor(rename: Rename, urlSchema: string): string {
  const { schema, from, to } = rename
  const parent = "table" in rename ? [rename.table] : "enum" in rename ? [rename.enum] : []
  const left = [...(schema === urlSchema ? [] : [schema]), ...parent, from].join(".")
  const text = `${left}=${to}`
  return renameFlag(text)
}

/** The flag as it is typed in a shell. */
export const renameFlag = (text: string): string =>
  `--rename ${/^[\w.=-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`}`

/** What was told about nothing that is gone. */
export function unmatched(told: readonly string[], seen: readonly Gone[]): LockstepError {
  const possible = seen.filter(({ fresh }) => fresh.length > 0)
  const lines = possible.map(({ parent, name, fresh }) => {
    const full = parent === undefined ? name : `${parent}.${name}`
    return `${full} is gone; new there: ${fresh.join(", ")}`
  })
  const spelled = told.map((text) => `--rename ${text}`).join(", ")
  return new LockstepError("L1415", `${spelled} does not fit what changed in the schema`, {
    hint: lines.length > 0 ? lines.join("\n") : "nothing is gone for which there is something new of the same kind.",
    state: "nothing was written or applied.",
    next: "write it as Table.column=newName, OldTable=NewTable or Enum.VALUE=NEW_VALUE, with the names of the database or of the Prisma schema",
  })
}
