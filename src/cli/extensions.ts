import { relative } from "node:path"
import { LockstepError } from "../errors.js"
import type { Folder } from "../history/folder.js"
import { connect } from "../postgres/connect.js"
import type { DatabaseUrl } from "../postgres/url.js"

/** Images of servers that have an extension which PostgreSQL itself does not. */
const images: Readonly<Record<string, string>> = {
  vector: "pgvector/pgvector:pg18",
  postgis: "postgis/postgis:18-3.6",
  timescaledb: "timescale/timescaledb:latest-pg18",
}

/**
 * Refuses migrations that create an extension which the test database's server does not have: npm's PostgreSQL brings
 * those of PostgreSQL itself. Nothing is parsed where no file creates any. Errors: L1512.
 */
export async function requireExtensions(url: DatabaseUrl, { migrations }: Pick<Folder, "migrations">): Promise<void> {
  const creating = migrations.filter(({ text }) => /\bcreate\s+extension\b/i.test(text))
  if (creating.length === 0) return
  const available = await availableExtensions(url)
  const { parseScript } = await import("../sql/parse.js")
  for (const { text, path, name } of creating) {
    const script = await parseScript(text)
    if (script.kind === "unparsed") continue
    for (const { node, line, column } of script.statements) {
      const extension = "CreateExtensionStmt" in node ? node.CreateExtensionStmt.extname : undefined
      if (extension === undefined || available.has(extension)) continue
      const image = images[extension]
      throw new LockstepError(
        "L1512",
        `${name} creates the extension "${extension}", which this PostgreSQL does not have`,
        {
          file: relative(process.cwd(), path),
          line,
          column,
          hint: "The test database is npm's PostgreSQL, which brings the extensions of PostgreSQL itself alone.",
          state: "the test database is running; no migration was applied to it.",
          next: `set DATABASE_URL to a server that has it${image === undefined ? "" : `, such as a container of the image ${image}`}, then: \`lockstep deploy\``,
        },
      )
    }
  }
}

async function availableExtensions(url: DatabaseUrl): Promise<ReadonlySet<string>> {
  const client = await connect(url, { applicationName: "lockstep test-db" })
  try {
    const { rows } = await client.query<{ name: string }>("SELECT name FROM pg_available_extensions")
    return new Set(rows.map(({ name }) => name))
  } finally {
    await client.end()
  }
}
