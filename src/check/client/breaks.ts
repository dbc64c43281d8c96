import { relative } from "node:path"
import type { Failure, KnownModel } from "../../client/compatibility.js"
import type { Pair } from "../../client/rows.js"
import type { FolderMigration } from "../../history/folder.js"
import type { CatalogDifference, CatalogObject } from "../../postgres/catalog.js"
import type { Problem } from "../check.js"

/** A migration, and the columns that exist after it, each as "schema.table.column". */
export interface State {
  readonly migration: FolderMigration
  readonly columns: ReadonlySet<string>
}

/** What the base's client could not do before and after the branch's migrations. */
interface Trial {
  /** The base's name. */
  readonly base: string
  readonly before: readonly Failure[]
  readonly after: readonly Failure[]
  /** The client's models, with the columns that the base has for them. */
  readonly models: readonly KnownModel[]
  /** The columns after each of the branch's migrations. */
  readonly states: readonly State[]
}

/** One problem a field, or a model where no field is to blame; what failed before as well is none. */
export function breaksOf(trial: Trial): readonly Problem[] {
  const known = new Set(trial.before.map((one) => JSON.stringify([one.model, one.field, one.operation, one.value])))
  const fresh = trial.after
    .filter((one) => !known.has(JSON.stringify([one.model, one.field, one.operation, one.value])))
    .flatMap((one) => blamed(one).map((field) => ({ ...one, field })))
  const groups = new Map<string, Failure[]>()
  for (const one of fresh) {
    const key = JSON.stringify([one.model, one.field, one.value])
    groups.set(key, [...(groups.get(key) ?? []), one])
  }
  return [...groups.values()].map((group) => problemOf(group, trial))
}

const modelOf = ({ model }: Failure, models: readonly KnownModel[]) => models.find((one) => one.model === model)

/** A column that the client does not know is the model's fault as a whole. */
function blamed({ field, suspects }: Failure): readonly (string | undefined)[] {
  const { fields = [], unfilled = [] } = suspects ?? {}
  return field === undefined && fields.length > 0 ? [...fields, ...(unfilled.length > 0 ? [undefined] : [])] : [field]
}

function problemOf(group: readonly Failure[], trial: Trial): Problem {
  const [failure] = group as [Failure]
  const known = modelOf(failure, trial.models)
  const pair = known?.all.find(({ field }) => field.name === failure.field)
  const operations = [...new Set(group.map(({ operation }) => operation))]
  const object = failure.field === undefined ? failure.model : `${failure.model}.${failure.field}`
  const { states } = trial
  const only = states.length === 1 ? states[0] : undefined
  const breaker = brokenBy(known, pair, states) ?? addedBy(known, unfilledBy(failure), states) ?? only
  const place = breaker && { file: relative(process.cwd(), breaker.migration.path) }
  return { ...place, object, ...explained({ failure, operations, known, pair, breaker, base: trial.base }) }
}

interface Break {
  readonly failure: Failure
  readonly operations: readonly Failure["operation"][]
  readonly known: KnownModel | undefined
  readonly pair: Pair | undefined
  readonly breaker: State | undefined
  readonly base: string
}

/** The migration after which the column, or every column of the table, is gone. */
function brokenBy(known: KnownModel | undefined, pair: Pair | undefined, states: readonly State[]): State | undefined {
  if (known === undefined) return undefined
  const { schema, table, all } = known
  const columns = (pair ? [pair] : all).map(({ column }) => `${schema}.${table}.${column.name}`)
  return columns.length === 0 ? undefined : states.find((state) => columns.every((name) => !state.columns.has(name)))
}

const unfilledBy = ({ field, suspects }: Failure): readonly string[] =>
  field === undefined ? (suspects?.unfilled ?? []) : []

/** The first migration after which there is one of the columns that the client does not fill. */
function addedBy(known: KnownModel | undefined, unfilled: readonly string[], states: readonly State[]) {
  if (known === undefined) return undefined
  return states.find(({ columns }) => unfilled.some((name) => columns.has(`${known.schema}.${known.table}.${name}`)))
}

function explained({ failure, operations, known, pair, breaker, base }: Break): Pick<Problem, "message" | "next"> {
  const { model, field, value, message } = failure
  const name = breaker?.migration.name
  const isGone = brokenBy(known, pair, breaker ? [breaker] : []) !== undefined
  if (isGone && pair) {
    return {
      message: `The client of ${base} reads and writes "${known?.table}"."${pair.column.name}" (${model}.${field}), which ${name} removes or renames.`,
      next: "remove it in the release after the one that stops using it; for a rename, add the new column, write both, and remove the old one then",
    }
  }
  if (isGone) {
    return {
      message: `The client of ${base} reads and writes "${known?.table}" (${model}), which ${name} removes or renames.`,
      next: "remove it in the release after the one that stops using it; for a rename, keep a view under the old name until then",
    }
  }
  const whole = field === undefined ? model : `${model}.${field}`
  if (operations.includes("read") && value !== undefined) {
    return {
      message: `The client of ${base} cannot read a row in which ${whole} is ${value}, which the branch's schema allows: ${message}`,
      next: "write such rows only in the release after this one, when no client of today is left",
    }
  }
  const added = unfilledBy(failure).length > 0
  return {
    message: `The client of ${base} cannot ${operations.join(" and ")} ${whole}${value === undefined ? "" : ` with ${value}`}: ${message}`,
    next: added
      ? "give the new column a default, or make it required in the release after the one that writes it"
      : "change it in two releases: first allow both, and forbid the old in the release after the one that stops using it",
  }
}

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
