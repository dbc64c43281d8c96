import type { Folder } from "../history/folder.js"
import { quoteIdentifier } from "../postgres/quote.js"
import { readSchemaIfPossible } from "../project/schema.js"
import { parseScript } from "../sql/parse.js"
import { type DatabaseContext, type Examination, failedWith, type Problem, passed } from "./examination.js"

export const extensions: Examination<DatabaseContext> = {
  id: "database/extensions",
  title: "the server has the extensions that the migrations and the schema need",
  why: "A migration that creates an extension fails where the server lacks it, or where only a superuser may create it.",
  async examine({ client, project, folder }) {
    const schema = readSchemaIfPossible(project.schemaPath).map(({ content }) => content)
    const needed = new Map([...extensionsInSchema(schema.join("\n")), ...(folder ? await extensionsIn(folder) : [])])
    if (needed.size === 0) return passed
    const { rows } = await client.query<{ name: string; installed: string; allowed: string }>({
      text: `SELECT a.name, a.installed_version IS NOT NULL AS installed,
          coalesce(bool_or(v.trusted OR NOT v.superuser), true) OR (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS allowed
        FROM pg_available_extensions a LEFT JOIN pg_available_extension_versions v ON v.name = a.name AND v.version = a.default_version
        WHERE a.name = ANY($1) GROUP BY a.name, a.installed_version`,
      values: [[...needed.keys()]],
    })
    const known = new Map(rows.map((row) => [row.name, row]))
    const problems = [...needed].flatMap(([name, by]): readonly Problem[] => {
      const found = known.get(name)
      if (found?.installed === "t" || found?.allowed === "t") return []
      const sql = `CREATE EXTENSION ${quoteIdentifier(name)}`
      return found === undefined
        ? [
            {
              message: `the server does not have the extension ${name}, which ${by} needs`,
              next: "install it on the server, or use a server that has it",
            },
          ]
        : [
            {
              message: `only a superuser may create the extension ${name}, which ${by} needs`,
              next: `as a superuser, in this database: ${sql}`,
            },
          ]
    })
    return failedWith(problems)
  },
}

/** Extensions that a history leaves installed, each with the migration that creates it. */
export async function extensionsIn({ migrations }: Pick<Folder, "migrations">): Promise<ReadonlyMap<string, string>> {
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

/** `extensions = [citext, uuidOssp(map: "uuid-ossp")]` of the datasource. Source: Prisma's documentation, "PostgreSQL extensions". */
export function extensionsInSchema(text: string): ReadonlyMap<string, string> {
  const list = /^\s*extensions\s*=\s*\[([^\]]*)\]/m.exec(text)?.[1] ?? ""
  const names = [...list.matchAll(/(\w+)\s*(?:\(([^)]*)\))?/g)].flatMap(([, name, args = ""]) => {
    const mapped = /map:\s*"([^"]+)"/.exec(args)?.[1]
    return mapped ?? name ?? []
  })
  return new Map(names.map((name) => [name, "the schema"]))
}
