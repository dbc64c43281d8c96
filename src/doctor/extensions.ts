import { quoteIdentifier } from "../postgres/quote.js"
import { extensionsIn, extensionsInSchema } from "../project/extensions.js"
import { readSchemaIfPossible } from "../project/schema.js"
import { type DatabaseContext, type Examination, failedWith, type Problem, passed } from "./examination.js"

export const extensions: Examination<DatabaseContext> = {
  id: "database/extensions",
  title: "the server has the extensions that the migrations and the schema need",
  why: "A migration that creates an extension fails where the server lacks it, or where only a superuser may create it.",
  async examine({ client, project, folder }) {
    const schema = readSchemaIfPossible(project.schemaPath).map(({ content }) => content)
    const needed = new Map([
      ...extensionsInSchema(schema.join("\n")),
      ...(folder ? await extensionsIn(folder.migrations) : []),
    ])
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
