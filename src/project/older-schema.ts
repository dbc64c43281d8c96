import { prismaMajor } from "./manifest.js"
import type { SchemaFile, SchemaFiles } from "./schema.js"
import { type Block, blocksIn, itemCuts, lineAt, type Property, propertiesIn, without } from "./schema-blocks.js"

/** What Prisma's schema engine 7 does not accept in a schema, and an older Prisma does. */
export interface SetAside {
  readonly path: string
  /** 1-based. */
  readonly line: number
  readonly what: { readonly property: ConnectionKey } | { readonly previewFeature: string }
  /** As it is written; a URL is not shown. */
  readonly text: string
}

/** The datasource's properties that hold a URL. */
export type ConnectionKey = "url" | "directUrl" | "shadowDatabaseUrl"

/** Where a datasource's URL comes from, and the place that says so. */
export type ConnectionValue = { readonly path: string; readonly line: number } & (
  | { readonly from: "variable"; readonly name: string }
  | { readonly from: "text"; readonly url: string }
)

/** The URLs of a schema's datasource. Up to Prisma 6 they stand there. */
type Connection = Readonly<Partial<Record<ConnectionKey, ConnectionValue>>>

/** A schema as the engine accepts it, and what is not in it any more. */
interface Accepted {
  readonly files: SchemaFiles
  readonly setAside: readonly SetAside[]
}

/**
 * Preview features that Prisma 5 or 6 accepts and the engine of Prisma 7 does not know, in lower case. Every other one
 * that became standard or was dropped since Prisma 2 it accepts still, and passes over. Source: the lists of preview
 * features of Prisma's engines of 5.22, 6.19 and 7.10, each tried with the engine.
 */
const goneFeatures: ReadonlySet<string> = new Set(["metrics", "esm"])

/**
 * Takes out what only Prisma up to version 6 accepts: the datasource's URLs, and preview features that are gone. Blanks
 * take its place, so that every other character keeps its line and column.
 */
export function setAsideOlder(files: SchemaFiles): Accepted {
  const done = files.map(acceptedFile)
  return { files: done.map(({ file }) => file), setAside: done.flatMap(({ setAside }) => setAside) }
}

function acceptedFile(file: SchemaFile): { readonly file: SchemaFile; readonly setAside: readonly SetAside[] } {
  const { path, content } = file
  const cuts = blocksIn(content).flatMap((block): readonly Cut[] => {
    if (block.kind === "datasource") return propertiesIn(block).flatMap(connectionCut)
    if (block.kind === "generator") return propertiesIn(block).flatMap(featureCuts)
    return []
  })
  const setAside = cuts.map(({ start, what, text }) => ({ path, line: lineAt(content, start), what, text }))
  return { file: { path, content: cuts.reduce(without, content) }, setAside }
}

interface Cut extends Pick<SetAside, "what" | "text"> {
  readonly start: number
  readonly end: number
}

const connectionKeys: readonly string[] = ["url", "directUrl", "shadowDatabaseUrl"] satisfies ConnectionKey[]
const isConnectionKey = (name: string): name is ConnectionKey => connectionKeys.includes(name)

function connectionCut({ name, value, start, end }: Property): readonly Cut[] {
  if (!isConnectionKey(name)) return []
  const text = variableIn(value) === undefined ? `${name} = (not shown)` : `${name} = ${value}`
  return [{ start, end, what: { property: name }, text }]
}

function featureCuts(list: Property): readonly Cut[] {
  const { name, value, code } = list
  if (name !== "previewFeatures" || !code.startsWith("[")) return []
  const items = [...code.matchAll(/"_*"/g)].map(({ index, 0: { length } }) => {
    const text = value.slice(index, index + length)
    return { index, text, feature: text.slice(1, -1) }
  })
  return itemCuts(list, items, ({ feature }) => goneFeatures.has(feature.toLowerCase())).map(
    ({ start, end, item: { text, feature } }) => ({ start, end, text, what: { previewFeature: feature } }),
  )
}

/** The name in `env("NAME")`. */
const variableIn = (value: string): string | undefined => /^env\(\s*"(\w+)"\s*\)$/.exec(value)?.[1]

/** The URLs that a schema's datasource names; empty from Prisma 7 on. */
export function connectionIn(files: SchemaFiles): Connection {
  const found: Partial<Record<ConnectionKey, ConnectionValue>> = {}
  for (const { path, content } of files) {
    // A long schema's blocks take longer to find than to see that it has no such line, as from Prisma 7 on.
    if (!/\b(?:url|directUrl|shadowDatabaseUrl)[^\S\n]*=/.test(content)) continue
    for (const block of blocksIn(content)) {
      if (block.kind !== "datasource") continue
      for (const { name, value, start } of propertiesIn(block)) {
        const place = { path, line: lineAt(content, start) }
        const variable = variableIn(value)
        const url = /^"(.*)"$/.exec(value)?.[1]
        if (!isConnectionKey(name)) continue
        if (variable !== undefined) found[name] = { ...place, from: "variable", name: variable }
        else if (url) found[name] = { ...place, from: "text", url }
      }
    }
  }
  return found
}

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
