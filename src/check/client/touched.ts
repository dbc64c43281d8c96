import type { KnownModel } from "../../client/compatibility.js"
import type { CatalogDifference, CatalogObject } from "../../postgres/catalog.js"

/** Kinds of objects that belong to one table or view, or are one. */
const ofRelation: ReadonlySet<CatalogObject["kind"]> = new Set([
  "table",
  "column",
  "constraint",
  "index",
  "trigger",
  "policy",
  "rule",
  "view",
  "materialized view",
])

/** The models whose tables a change of the schema may concern; what cannot be told concerns all of them. */
export function touchedModels(
  models: readonly KnownModel[],
  { onlyFirst, onlySecond }: CatalogDifference,
): readonly KnownModel[] {
  const changed = [...onlyFirst, ...onlySecond]
  if (changed.some(({ kind }) => !ofRelation.has(kind) && kind !== "enum")) return models
  const hasEnums = changed.some(({ kind }) => kind === "enum")
  const own = changed.filter(({ kind }) => kind !== "enum")
  return models.filter(
    (model) =>
      (hasEnums && model.all.some(({ column }) => column.labels.length > 0 || column.type.startsWith("_"))) ||
      own.some((object) => belongsTo(object, `${model.schema}.${model.table}`)),
  )
}

/** PostgreSQL quotes a name where it has to be; here it is compared without. */
function belongsTo({ kind, name, definition }: CatalogObject, relation: string): boolean {
  if (kind === "index") return unquoted(definition).includes(` ${relation} USING `)
  const plain = unquoted(name)
  return plain === relation || plain.startsWith(`${relation}.`)
}

const unquoted = (text: string): string => text.replaceAll('"', "")
