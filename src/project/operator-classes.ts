import type { IndexStmt, Node, RenameStmt } from "libpg-query"
import { parseScript } from "../sql/parse.js"
import { identifiers } from "../sql/tree.js"
import type { SchemaFiles } from "./schema.js"
import { type Block, blocksIn, schemaNames, without } from "./schema-blocks.js"

/** A B-tree index with an operator class, by the names that the database has. */
interface Index {
  readonly name: string
  readonly table: string
  /** Each with its operator class; empty for the type's own. */
  readonly columns: readonly (readonly [name: string, operatorClass: string])[]
}

/** An index of the schema, and where its operator classes stand in the file. */
interface DeclaredIndex extends Index {
  readonly path: string
  readonly cuts: readonly { readonly start: number; readonly end: number }[]
}

/**
 * The schema without the operator classes of B-tree indexes that the history makes just so; blanks take their place.
 * Prisma's engine reads no operator class of a B-tree index in a database: it would drop such an index and create it
 * again in every migration. What the history may have changed by a DO block stays as it is.
 */
export async function withoutKnownOperatorClasses(
  files: SchemaFiles,
  migrations: readonly { readonly text: string }[],
): Promise<SchemaFiles> {
  // A table's name says which one it is where there is one schema.
  if (!files.some(({ content }) => content.includes("raw(")) || files.some(({ content }) => /@@schema\(/.test(content)))
    return files
  const declared = declaredIn(files)
  if (declared.length === 0) return files
  const made = await indexesIn(migrations, new Set(declared.map(({ table }) => table)))
  const known = declared.filter((one) => made.some((other) => isSame(one, other)))
  return files.map(({ path, content }) => {
    const cuts = known.filter((one) => one.path === path).flatMap((one) => one.cuts)
    return { path, content: cuts.reduce(without, content) }
  })
}

const isSame = (one: Index, other: Index): boolean =>
  one.name === other.name && one.table === other.table && String(one.columns) === String(other.columns)

const indexAttribute = /@@index\(\s*(?:fields:\s*)?\[([^\]]*)\]([^)]*)\)/dg
const indexedField = /(\w+)\s*(\([^()]*(?:\([^()]*\)[^()]*)*\))?/dg
const rawClass = /,?\s*\bops:\s*raw\(\s*"(_+)"\s*\)/d

function declaredIn(files: SchemaFiles): readonly DeclaredIndex[] {
  const names = new Map(schemaNames(files).map((one) => [one.name, one]))
  return files.flatMap(({ path, content }) =>
    blocksIn(content)
      .filter(({ kind }) => kind === "model")
      .flatMap((model) =>
        indexesOf(model).flatMap(({ fields, map, ...cuts }) => {
          const { mapped: table, fields: columnOf } = names.get(model.name) ?? { mapped: model.name, fields: new Map() }
          const columns = fields.map(([field, ops]) => [columnOf.get(field) ?? field, ops] as const)
          const own = `${[table, ...columns.map(([column]) => column)].join("_").slice(0, 59)}_idx`
          return columns.some(([, ops]) => ops !== "") ? [{ path, name: map ?? own, table, columns, ...cuts }] : []
        }),
      ),
  )
}

/** The B-tree indexes of a model, by the names that the schema has. */
function indexesOf({ start, body, code }: Block) {
  return [...code.matchAll(indexAttribute)].flatMap(({ 1: list = "", 2: rest = "", indices }) => {
    const [, [listStart] = [0], [restStart] = [0]] = indices ?? []
    if (/\btype:\s*(?!BTree\b)\w/.test(rest)) return []
    const map = /\bmap:\s*"(_+)"/d.exec(rest)?.indices?.[1]
    const fields = [...list.matchAll(indexedField)].map(({ 1: name = "", 2: args, indices: at }) => {
      const from = listStart + (at?.[2]?.[0] ?? 0)
      const found = rawClass.exec(args ?? "")
      const [all, text] = found?.indices ?? []
      if (args === undefined || all === undefined || text === undefined) return { field: [name, ""] as const }
      const isAlone = args.slice(1, all[0]).trim() === "" && args.slice(all[1], -1).trim() === ""
      const comma = args.slice(1, all[0]).trim() === "" ? /^\s*,/.exec(args.slice(all[1]))?.[0].length : 0
      const [cutStart, cutEnd] = isAlone ? [0, args.length] : [all[0], all[1] + (comma ?? 0)]
      const cut = { start: start + from + cutStart, end: start + from + cutEnd }
      return { field: [name, body.slice(from + text[0], from + text[1])] as const, cut }
    })
    return [
      {
        map: map && body.slice(restStart + map[0], restStart + map[1]),
        fields: fields.map(({ field }) => field),
        cuts: fields.flatMap(({ cut }) => cut ?? []),
      },
    ]
  })
}

/** The indexes of these tables that a history leaves; one that a DO block may have changed is none. */
async function indexesIn(
  migrations: readonly { readonly text: string }[],
  tables: ReadonlySet<string>,
): Promise<readonly Index[]> {
  const indexes = new Map<string, Index>()
  for (const { text } of migrations) {
    // Other files need not be parsed.
    if (![...tables, ...indexes.keys()].some((name) => text.includes(name)) && !dropsUnnamed.test(text)) continue
    const script = await parseScript(text)
    if (script.kind === "unparsed") indexes.clear()
    else for (const { node, text: sql } of script.statements) follow(indexes, node, sql)
  }
  return [...indexes.values()]
}

/** A schema with all that is in it, or what a DO block puts together. */
const dropsUnnamed = /\bdrop\s+schema\b|\bdo\b[^;]*\$[\s\S]*\bexecute\b/i

/** One statement's effect on the indexes. */
function follow(indexes: Map<string, Index>, node: Node, sql: string): void {
  if ("IndexStmt" in node) {
    const { idxname: name = "", if_not_exists: ifNotExists } = node.IndexStmt
    if (!ifNotExists || !indexes.has(name)) indexes.set(name, madeBy(node.IndexStmt))
  } else if ("DropStmt" in node) {
    const { removeType, objects } = node.DropStmt
    if (removeType === "OBJECT_SCHEMA") indexes.clear()
    const gone = new Set((objects ?? []).map((each) => "List" in each && identifiers(each.List.items).at(-1)))
    forget(indexes, ({ name, table }) => gone.has(name) || gone.has(table))
  } else if ("AlterTableStmt" in node) {
    const { relation, cmds = [] } = node.AlterTableStmt
    const gone = cmds.flatMap((each) =>
      "AlterTableCmd" in each && each.AlterTableCmd.subtype === "AT_DropColumn" ? each.AlterTableCmd.name : [],
    )
    forget(
      indexes,
      ({ table, columns }) => table === relation?.relname && columns.some(([name]) => gone.includes(name)),
    )
  } else if ("RenameStmt" in node) {
    for (const index of [...indexes.values()]) {
      indexes.delete(index.name)
      const after = renamedBy(index, node.RenameStmt)
      indexes.set(after.name, after)
    }
  } else if ("DoStmt" in node) {
    forget(indexes, ({ name, table }) => /\bexecute\b/i.test(sql) || sql.includes(name) || sql.includes(table))
  }
}

function forget(indexes: Map<string, Index>, isGone: (index: Index) => boolean): void {
  for (const index of [...indexes.values()]) if (isGone(index)) indexes.delete(index.name)
}

/** An index of another kind has no columns here, and equals none. */
function madeBy({ idxname: name = "", relation, accessMethod, whereClause, indexParams }: IndexStmt): Index {
  const isPlain = (accessMethod === undefined || accessMethod === "btree") && whereClause === undefined
  const columns = (indexParams ?? []).map((each): readonly [string, string] => {
    const element = "IndexElem" in each ? each.IndexElem : {}
    return [element.name ?? "", identifiers(element.opclass).at(-1) ?? ""]
  })
  return { name, table: relation?.relname ?? "", columns: isPlain ? columns : [] }
}

function renamedBy(index: Index, { renameType, relation, subname, newname = "" }: RenameStmt): Index {
  if (relation?.relname === index.name) return { ...index, name: newname }
  if (relation?.relname !== index.table) return index
  if (renameType !== "OBJECT_COLUMN") return { ...index, table: renameType === "OBJECT_TABLE" ? newname : index.table }
  const columns = index.columns.map(([name, ops]) => [name === subname ? newname : name, ops] as const)
  return { ...index, columns }
}
