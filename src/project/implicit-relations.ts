import { LockstepError } from "../errors.js"
import type { SchemaFile, SchemaFiles } from "./schema.js"
import { type Block, blocksIn, lineAt } from "./schema-blocks.js"

/** An end of an implicit many-to-many relation: a list of a model that has a list of this one, without a model between. */
interface End {
  readonly path: string
  /** 1-based. */
  readonly line: number
  readonly model: Block
  readonly field: string
  /** The model of the list. */
  readonly of: string
  /** The relation's name; empty where the schema gives none. */
  readonly name: string
  /** Offsets in the file: from the type to the end of the attributes. */
  readonly start: number
  readonly end: number
  readonly attributes: string
}

/** The two ends, in the order of the columns "A" and "B" of the relation's table. */
type Ends = readonly [End, End]

const listField = /^([^\S\n]*)((\w+)[^\S\n]+)((\w+)\[\])([^\n]*)/gm

/**
 * The same schema with a model for the table of each implicit many-to-many relation. Prisma 5 gives that table a unique
 * index, Prisma 6 and 7 a primary key in its place: the engine of Prisma 7 writes the table of Prisma 5 where a model
 * says so. The models are at the files' ends, so that all lines stay. Source: Prisma's upgrade guide to version 6, and
 * its documentation of relation tables. Errors: L1419 a relation has no such model.
 */
export function withRelationTables(files: SchemaFiles): SchemaFiles {
  const blocks = files.flatMap(({ path, content }) => blocksIn(content).map((block) => ({ path, content, block })))
  const models = new Map(blocks.flatMap(({ block }) => (block.kind === "model" ? [[block.name, block]] : [])))
  const relations = pairs(blocks.flatMap(({ block, ...file }) => (block.kind === "model" ? listsIn(file, block) : [])))
  return files.map(({ path, content }) => {
    const ends = relations.flatMap((relation) =>
      relation.map((end, at) => ({ ...end, list: `${modelOf(relation)}[]`, side: sideOf(relation, at) })),
    )
    const changed = ends
      .filter((end) => end.path === path)
      .toSorted((one, other) => other.start - one.start)
      .reduce((text, { start, end, list, side, attributes }) => {
        const ignored = /@ignore\b/.test(attributes) ? " @ignore" : ""
        return `${text.slice(0, start)}${list} @relation("${side}")${ignored}${text.slice(end)}`
      }, content)
    const added = relations.filter(([{ path: first }]) => first === path).map((ends) => tableModel(ends, models))
    return added.length === 0 ? { path, content: changed } : { path, content: `${changed}\n${added.join("\n")}` }
  })
}

/**
 * A script of the engine's for a schema from `withRelationTables`, with a new table's indexes in the order of Prisma 5:
 * the engine writes a model's unique indexes last.
 */
export function inPrisma5Order(script: string, files: SchemaFiles): string {
  return files.some(({ content }) => content.includes(`\nmodel ${tableModelPrefix}`))
    ? script.replaceAll(bothIndexes, "$4\n\n-- CreateIndex\n$1")
    : script
}

const bothIndexes =
  /(CREATE INDEX "(\w+)_B_index" ON ([^\n]+)\("B"\);)\n\n-- CreateIndex\n(CREATE UNIQUE INDEX "\2_AB_unique" ON \3\("A", "B"\);)/g

const tableModelPrefix = "RelationTable_"

function listsIn({ path, content }: SchemaFile, model: Block): readonly End[] {
  return [...model.code.matchAll(listField)].map(
    ({ index, 1: indent = "", 2: head = "", 3: field = "", 4: type = "", 5: of = "", 6: rest = "" }) => {
      const from = index + indent.length + head.length
      const length = type.length + rest.trimEnd().length
      const attributes = model.body.slice(from + type.length, from + length)
      const name = /@relation\(\s*(?:name:\s*)?"([^"]*)"/.exec(attributes)?.[1] ?? ""
      const start = model.start + from
      return { path, line: lineAt(content, start), model, field, of, name, start, end: start + length, attributes }
    },
  )
}

/** The column "A" is for the model, of a model's own relation for the field, whose name sorts first. */
function pairs(lists: readonly End[]): readonly Ends[] {
  return lists.flatMap((one) =>
    lists.flatMap((other): readonly Ends[] => {
      const isPair = one.model.name === other.of && one.of === other.model.name && one.name === other.name
      const isFirst = one.model.name === other.model.name ? one.field < other.field : one.model.name < other.model.name
      return isPair && isFirst ? [[one, other]] : []
    }),
  )
}

const relationName = ([one, other]: Ends): string => one.name || `${one.model.name}To${other.model.name}`
const modelOf = (ends: Ends): string => `${tableModelPrefix}${relationName(ends).replaceAll(/\W/g, "_")}`
const sideOf = (ends: Ends, at: number): string => `_${relationName(ends)}_${at === 0 ? "A" : "B"}`

function tableModel(ends: Ends, models: ReadonlyMap<string, Block>): string {
  const table = `_${relationName(ends)}`
  const [a, b] = ends.map(({ model }) => idOf(model))
  if (a === undefined || b === undefined || `${table}_AB_unique`.length > 63) throw notTranslated(ends)
  const [one, other] = ends
  const schema = /@@schema\(\s*(?:map:\s*)?"[^"]*"\s*\)/.exec(models.get(one.model.name)?.body ?? "")?.[0]
  const actions = "onDelete: Cascade, onUpdate: Cascade"
  return `model ${modelOf(ends)} {
  A ${a.type}
  B ${b.type}
  toA ${one.model.name} @relation("${table}_A", fields: [A], references: [${a.field}], ${actions}, map: "${table}_A_fkey")
  toB ${other.model.name} @relation("${table}_B", fields: [B], references: [${b.field}], ${actions}, map: "${table}_B_fkey")
  @@unique([A, B], map: "${table}_AB_unique")
  @@index([B], map: "${table}_B_index")
  @@map("${table}")${schema === undefined ? "" : `\n  ${schema}`}
}
`
}

/** The field that identifies a model, with its type and the database's own type for it. */
function idOf({ body, code }: Block): { readonly field: string; readonly type: string } | undefined {
  const listed = /^[^\S\n]*@@id\(\s*(?:fields:\s*)?\[\s*(\w+)\s*\]/m.exec(code)?.[1]
  const isId = (line: string, field: string) => /@id\b/.test(line.replaceAll("@@id", "")) || field === listed
  for (const { 0: line, 1: field = "", 2: type = "", index } of code.matchAll(/^[^\S\n]*(\w+)[^\S\n]+(\w+)[^\n]*/gm)) {
    if (!isId(line, field)) continue
    const native = /@\w+\.\w+(?:\([^)]*\))?/.exec(body.slice(index, index + line.length))?.[0]
    return { field, type: native === undefined ? type : `${type} ${native}` }
  }
  return undefined
}

function notTranslated([one, other]: Ends): LockstepError {
  const places = [one, other].map(
    ({ path, line, model, field, of }) => `${path}:${line}: ${model.name}.${field} ${of}[]`,
  )
  return new LockstepError(
    "L1419",
    "the table of this implicit many-to-many relation is another one to Prisma 5 than to later versions",
    {
      file: one.path,
      line: one.line,
      hint: `Prisma 5 gives it a unique index, Prisma 6 and 7 a primary key in its place.\n${places.join("\n")}`,
      state: "nothing was touched.",
      next: "give both models a single field as @id, and the relation a name of at most 52 letters; or update the project to Prisma 6, whose upgrade guide says what to do with these tables",
    },
  )
}
