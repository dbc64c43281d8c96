import * as z from "zod/mini"
import { connect } from "../../postgres/connect.js"
import { parseDatabaseUrl } from "../../postgres/url.js"
import { pulledSchema, setAsideOlder } from "../../project/older-schema.js"
import type { SchemaFile, SchemaFiles } from "../../project/schema.js"
import type { Params } from "./protocol.js"

/** An extension as the database has it. */
export interface InstalledExtension {
  readonly name: string
  readonly version: string
  readonly schema: string
}

/** Those that Prisma's engine adds to a schema that does not name them. Source: prisma-engines, EXTENSION_ALLOW_LIST. */
const added: ReadonlySet<string> = new Set(["citext", "pgcrypto", "uuid-ossp", "postgis"])

const container = z.object({ files: z.array(z.object({ path: z.string(), content: z.string() })) })
const pulled = z.looseObject({ schema: container })

/**
 * `introspect`: the engine merges the database into the schema. What the schema of an older Prisma has, and this engine
 * does not take, is kept; and the datasource's `extensions`, which the engine's build for WebAssembly leaves out, are
 * read from the catalog, as Prisma's own engine does under the preview feature `postgresqlExtensions`.
 * Errors: L12xx the database cannot be reached.
 */
export async function pull(
  introspect: (params: Params) => Promise<unknown>,
  params: Params,
  url: string,
): Promise<unknown> {
  const before = z.safeParse(pulled, params).data?.schema.files
  if (before === undefined) return await introspect(params)
  const answer = await introspect({ ...params, schema: { files: setAsideOlder(before).files } })
  const after = z.safeParse(pulled, answer)
  if (!after.success) return answer
  const files = pulledSchema(before, after.data.schema.files, process.cwd())
  const isExtended = before.some(({ content }) => previewFeature.test(content))
  const extensions = isExtended ? declaration(before, await installedIn(url)) : undefined
  const inserted = ({ path, content }: SchemaFile): SchemaFile => ({
    path,
    content: extensions === undefined ? content : insert(content, extensions),
  })
  return { ...after.data, schema: { ...after.data.schema, files: files.map(inserted) } }
}

const previewFeature = /^\s*previewFeatures\s*=\s*\[[^\]]*"postgresqlExtensions"/m

async function installedIn(url: string): Promise<readonly InstalledExtension[]> {
  const client = await connect(parseDatabaseUrl(url))
  try {
    const { rows } = await client.query<InstalledExtension & Record<string, string>>(
      `SELECT extname AS name, extversion AS version, nspname AS schema
        FROM pg_catalog.pg_extension JOIN pg_catalog.pg_namespace ON pg_namespace.oid = extnamespace ORDER BY extname`,
    )
    return rows
  } finally {
    await client.end()
  }
}

const block = /^datasource\s+\w+\s*\{\n([\s\S]*?)^\}/m
const list = /^\s*extensions\s*=\s*\[([\s\S]*?)\]\s*$/m
const item = /(\w+)(?:\(([^)]*)\))?/g

/**
 * The value of `extensions`: what the schema named and the database has, with the arguments that it named, brought up to
 * date; and what Prisma adds by itself. undefined where there is none.
 */
export function declaration(files: SchemaFiles, installed: readonly InstalledExtension[]): string | undefined {
  const [, source = ""] = files.map(({ content }) => block.exec(content)).find((found) => found !== null) ?? []
  const [, items = ""] = list.exec(source) ?? []
  const named = new Map(
    [...items.matchAll(item)].map(([, name = "", args]) => [/\bmap:\s*"([^"]*)"/.exec(args ?? "")?.[1] ?? name, args]),
  )
  const rendered = installed.flatMap(({ name, version, schema }) => {
    if (!named.has(name) && !added.has(name)) return []
    const args = named.has(name) ? (named.get(name) ?? "") : "schema:"
    const identifier = name.replace(/\W/g, "_")
    const given = [
      identifier === name ? undefined : `map: "${name}"`,
      /\bschema:/.test(args) ? `schema: "${schema}"` : undefined,
      /\bversion:/.test(args) ? `version: "${version}"` : undefined,
    ].filter((each) => each !== undefined)
    return given.length === 0 ? identifier : `${identifier}(${given.join(", ")})`
  })
  return rendered.length === 0 ? undefined : `[${rendered.join(", ")}]`
}

/** In the datasource block, before `schemas`, aligned as `prisma format` does it. */
export function insert(content: string, extensions: string): string {
  return content.replace(block, (whole, lines: string) => {
    const kept = lines
      .replace(list, "")
      .split("\n")
      .filter((line) => line.trim() !== "")
    const before = kept.findIndex((line) => /^\s*schemas\s*=/.test(line))
    kept.splice(before === -1 ? kept.length : before, 0, `  extensions = ${extensions}`)
    const names = kept.flatMap((line) => assignment.exec(line)?.[1]?.length ?? [])
    const widest = Math.max(...names)
    const aligned = kept.map((line) => line.replace(assignment, (_, name: string) => `  ${name.padEnd(widest)} = `))
    return whole.replace(lines, () => `${aligned.join("\n")}\n`)
  })
}

const assignment = /^\s*(\w+)\s*=\s*/
