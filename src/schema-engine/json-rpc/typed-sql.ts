import { ColumnTypeEnum } from "@prisma/driver-adapter-utils"
import { DatabaseError } from "pg"
import * as z from "zod/mini"
import { type Client, connect } from "../../postgres/connect.js"
import { type Described, describeStatement } from "../../postgres/describe.js"
import { parseDatabaseUrl } from "../../postgres/url.js"
import { searchPath } from "../../scratch/script.js"
import { columnOf } from "../adapter.js"
import { EngineRefusal, serverMessage } from "../engine-error.js"

const queriesOf = z.object({ queries: z.array(z.object({ name: z.string(), source: z.string() })) })

/** A query's description, as `prisma generate --sql` takes it. */
interface QueryOutput {
  readonly name: string
  readonly source: string
  readonly documentation: string | null
  readonly parameters: readonly Parameter[]
  readonly resultColumns: readonly { readonly name: string; readonly typ: string; readonly nullable: boolean }[]
}

interface Parameter {
  readonly name: string
  readonly typ: string
  readonly documentation: string | null
  readonly nullable: boolean
}

/**
 * `introspectSql`, for TypedSQL: the parameters and columns of queries, from the server itself. The engine's build for
 * WebAssembly calls itself without end at it. Errors: L12xx; the server's own where a query is wrong.
 */
export async function introspectSql(params: unknown, text: string): Promise<{ readonly queries: QueryOutput[] }> {
  const { queries } = z.parse(queriesOf, params)
  const url = parseDatabaseUrl(text)
  const client = await connect(url)
  try {
    await client.query(searchPath(url.schema))
    const described: QueryOutput[] = []
    for (const query of queries) described.push(await describe(client, query))
    return { queries: described }
  } catch (cause) {
    throw cause instanceof DatabaseError ? new EngineRefusal(serverMessage(cause), { cause }) : cause
  } finally {
    await client.end()
  }
}

async function describe(
  client: Client,
  { name, source }: { readonly name: string; readonly source: string },
): Promise<QueryOutput> {
  const statement = await describeStatement(client, source)
  const typeName = await typeNames(client, [...statement.parameters, ...statement.columns.map(({ type }) => type)])
  const required = mayAddNulls(source) ? new Set<string>() : await requiredColumns(client, statement)
  const comments = commentsOf(source)
  return {
    name,
    source,
    documentation: comments.description,
    parameters: statement.parameters.map((oid, at) => {
      const { alias, typ, nullable, documentation } = comments.parameters.get(at + 1) ?? undocumented
      return { name: alias ?? `_${at + 1}`, typ: typ ?? typeName(oid), nullable, documentation }
    }),
    resultColumns: statement.columns.map((column) => ({
      name: column.name,
      typ: typeName(column.type),
      nullable: !required.has(`${column.table}.${column.attribute}`),
    })),
  }
}

/** Prisma's names of the types that its clients distinguish. Source: `@prisma/generator`, QueryIntrospectionBuiltinType. */
const names: ReadonlyMap<number, string> = new Map(
  Object.entries({
    ...{ Int32: "int", Int64: "bigint", Float: "float", Double: "double", Numeric: "decimal", Boolean: "bool" },
    ...{ Character: "char", Text: "string", Date: "date", Time: "time", DateTime: "datetime", Json: "json" },
    ...{ Bytes: "bytes", Uuid: "uuid" },
  } as const).flatMap(([key, name]): [number, string][] => {
    const type = key as "Int32"
    return [
      [ColumnTypeEnum[type], name],
      [ColumnTypeEnum[`${type}Array`], `${name}-array`],
    ]
  }),
)

/** An enum has its own name; what no client distinguishes is text. */
async function typeNames(client: Client, oids: readonly number[]): Promise<(oid: number) => string> {
  const { rows } = await client.query<{ oid: string; typname: string }>({
    text: "SELECT oid, typname FROM pg_catalog.pg_type WHERE typtype = 'e' AND oid = ANY ($1::oid[])",
    values: [oids],
  })
  const enums = new Map(rows.map(({ oid, typname }) => [Number(oid), typname]))
  return (oid) => enums.get(oid) ?? names.get(columnOf(oid).type) ?? "string"
}

/** An outer join or a set of groupings gives NULL for columns that are NOT NULL in their tables. */
const mayAddNulls = (sql: string): boolean =>
  /\b(?:left|right|full)\b[\s\S]*\bjoin\b|\b(?:rollup|cube|grouping\s+sets)\b/i.test(sql)

async function requiredColumns(client: Client, { columns }: Described): Promise<ReadonlySet<string>> {
  const { rows } = await client.query<{ attrelid: string; attnum: string }>({
    text: "SELECT attrelid, attnum FROM pg_catalog.pg_attribute WHERE attnotnull AND attrelid = ANY ($1::oid[])",
    values: [columns.map(({ table }) => table)],
  })
  return new Set(rows.map(({ attrelid, attnum }) => `${attrelid}.${attnum}`))
}

interface Documented {
  readonly alias: string | undefined
  readonly typ: string | undefined
  readonly nullable: boolean
  readonly documentation: string | null
}

const undocumented: Documented = { alias: undefined, typ: undefined, nullable: false, documentation: null }

const written: Readonly<Record<string, string>> = {
  ...{ Int: "int", BigInt: "bigint", Float: "double", Boolean: "bool", String: "string", DateTime: "datetime" },
  ...{ Json: "json", Bytes: "bytes", Decimal: "decimal" },
}

const parameter = /^--\s*@param\s+(?:\{\s*(\w+)(\[\])?\s*\}\s*)?\$(\d+)(?::(\w+))?(\?)?(?:\s+(\S.*))?$/

/** `-- @param {Int} $1:age? How old` and `-- @description …`. Source: Prisma's documentation, "TypedSQL". */
function commentsOf(source: string): {
  readonly description: string | null
  readonly parameters: ReadonlyMap<number, Documented>
} {
  const lines = source.split("\n").map((line) => line.trim())
  const parameters = lines.flatMap((line): [number, Documented][] => {
    const [whole, typ, list, number, alias, optional, documentation = null] = parameter.exec(line) ?? []
    if (whole === undefined) return []
    const base = typ && (written[typ] ?? typ)
    return [
      [
        Number(number),
        { alias, typ: base && `${base}${list ? "-array" : ""}`, nullable: optional === "?", documentation },
      ],
    ]
  })
  const [, description = null] = lines.map((line) => /^--\s*@description\s+(.+)$/.exec(line)).find(Boolean) ?? []
  return { description, parameters: new Map(parameters) }
}
