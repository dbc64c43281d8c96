import { parseScript } from "../sql/parse.js"
import type { SchemaFiles } from "./schema.js"
import { blocksIn, itemCuts, propertiesIn, without } from "./schema-blocks.js"

/** Extensions that a history leaves installed, each with the migration that creates it. */
export async function extensionsIn(
  migrations: readonly { readonly name: string; readonly text: string }[],
): Promise<ReadonlyMap<string, string>> {
  const needed = new Map<string, string>()
  for (const { name, text } of migrations) {
    // Most files create none, and need not be parsed.
    if (!/extension/i.test(text)) continue
    const script = await parseScript(text)
    if (script.kind !== "script") continue
    for (const { node } of script.statements) {
      if ("CreateExtensionStmt" in node && node.CreateExtensionStmt.extname)
        needed.set(node.CreateExtensionStmt.extname, name)
      if ("DropStmt" in node && node.DropStmt.removeType === "OBJECT_EXTENSION") {
        for (const object of node.DropStmt.objects ?? [])
          if ("String" in object) needed.delete(object.String.sval ?? "")
      }
    }
  }
  return needed
}

const item = /(\w+)\s*(?:\(([^)]*)\))?/g

/** The name that the database has for an item of the list. */
const nameOf = (name: string, args = ""): string => /map:\s*"([^"]+)"/.exec(args)?.[1] ?? name

/** `extensions = [citext, uuidOssp(map: "uuid-ossp")]` of the datasource. Source: Prisma's documentation, "PostgreSQL extensions". */
export function extensionsInSchema(text: string): ReadonlyMap<string, string> {
  const list = /^\s*extensions\s*=\s*\[([^\]]*)\]/m.exec(text)?.[1] ?? ""
  return new Map([...list.matchAll(item)].map(([, name = "", args]) => [nameOf(name, args), "the schema"]))
}

/** The schema with these extensions, by the names that the database has, taken out of the datasource's list; blanks take their place. */
export function withoutExtensions(files: SchemaFiles, names: ReadonlySet<string>): SchemaFiles {
  return files.map(({ path, content }) => ({
    path,
    content: blocksIn(content)
      .filter(({ kind }) => kind === "datasource")
      .flatMap(propertiesIn)
      .filter(({ name, code }) => name === "extensions" && code.startsWith("["))
      .flatMap((list) => {
        const items = [...list.code.matchAll(item)].map(({ index, 0: { length } }) => {
          const text = list.value.slice(index, index + length)
          const [, name = "", args] = new RegExp(item.source).exec(text) ?? []
          return { index, text, name: nameOf(name, args) }
        })
        return itemCuts(list, items, ({ name }) => names.has(name))
      })
      .reduce(without, content),
  }))
}
