import { prismaMajor } from "./manifest.js"
import { setAsideOlder } from "./older-schema.js"
import type { SchemaFile, SchemaFiles } from "./schema.js"
import { type Block, blocksIn } from "./schema-blocks.js"

/**
 * The files into which the engine merged a database, as the Prisma of the project in `folder` accepts them. For Prisma 7
 * they stay as they are. For an older one the datasource and the generators are those of the files before: the engine
 * was not given all of them, and adds a preview feature of Prisma 7 alone; and partial indexes are left out, which are
 * what that feature is about, except where a schema has one as an index of all rows. Source: Prisma 5 and 6 read the
 * indexes without a predicate from the catalog (sql-schema-describer, postgres/indexes_query.sql).
 */
export function pulledSchema(before: SchemaFiles, pulled: SchemaFiles, folder: string): SchemaFiles {
  if ((prismaMajor(folder) ?? 7) >= 7 && setAsideOlder(before).setAside.length === 0) return pulled
  const written = new Set(before.flatMap(({ content }) => content.split("\n").map(withoutSpaces)))
  return pulled.map((file) => {
    const own = blocksIn(before.find(({ path }) => path === file.path)?.content ?? "").filter(isSetting)
    return { path: file.path, content: withoutPartialIndexes(withSettings(file, own), written) }
  })
}

const isSetting = ({ kind }: Block): boolean => kind === "datasource" || kind === "generator"

const withSettings = ({ content }: SchemaFile, own: readonly Block[]): string =>
  blocksIn(content)
    .filter(isSetting)
    .toReversed()
    .reduce((text, { kind, name, start, body }) => {
      const before = own.find((block) => block.kind === kind && block.name === name)
      return before === undefined ? text : text.slice(0, start) + before.body + text.slice(start + body.length)
    }, content)

const predicate = String.raw`(?:, )?where: raw\("(?:[^"\\\n]|\\.)*"\)`
const ofBlock = new RegExp(String.raw`^([^\S\n]*@@(?:index|unique)\(.*?)${predicate}(.*)\n`, "gm")
const ofField = new RegExp(String.raw` @unique\((?:map: "[^"\n]*")?${predicate}\)`, "g")

function withoutPartialIndexes(content: string, written: ReadonlySet<string>): string {
  return content
    .replace(ofField, "")
    .replace(ofBlock, (_, head: string, rest: string) =>
      written.has(withoutSpaces(head + rest)) ? `${head}${rest}\n` : "",
    )
    .replace(/\n\s*\n\}/g, "\n}")
}

const withoutSpaces = (line: string): string => line.replace(/\s+/g, "")
