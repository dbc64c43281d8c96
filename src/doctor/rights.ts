import { historyTable } from "../history/recorded.js"
import { quoteIdentifier } from "../postgres/quote.js"
import { type DatabaseContext, type Examination, failedWith, few, type Problem, passed, warned } from "./examination.js"

type Answers = Readonly<Record<string, string | null>>

export const create: Examination<DatabaseContext> = {
  id: "rights/create",
  title: "the role may create objects and write the history",
  why: "A deploy that may not create tables, or not write the history, fails at its first migration.",
  async examine({ client, target: { url } }) {
    const { schema } = url
    const table = historyTable(schema)
    const { rows } = await client.query<Answers>({
      text: `SELECT current_user AS role, current_database() AS database,
          has_database_privilege(current_database(), 'CREATE') AS makes_schema,
          (SELECT has_schema_privilege(oid, 'CREATE') AND has_schema_privilege(oid, 'USAGE') FROM pg_namespace WHERE nspname = $1) AS makes_table,
          (SELECT has_table_privilege(c.oid, 'SELECT') AND has_table_privilege(c.oid, 'INSERT') AND has_table_privilege(c.oid, 'UPDATE')
             FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
             WHERE n.nspname = $1 AND c.relname = '_prisma_migrations') AS writes_history`,
      values: [schema],
    })
    const [found = {}] = rows
    const role = quoteIdentifier(found.role ?? url.user)
    const grants: readonly (readonly [boolean, string, string])[] = [
      [
        found.makes_table === null && found.makes_schema === "f",
        `the schema "${schema}" does not exist, and the role may not create it`,
        `CREATE SCHEMA ${quoteIdentifier(schema)} AUTHORIZATION ${role}`,
      ],
      [
        found.makes_table === "f",
        `the role may not create objects in the schema "${schema}": every migration that does fails`,
        `GRANT CREATE, USAGE ON SCHEMA ${quoteIdentifier(schema)} TO ${role}`,
      ],
      [
        found.writes_history === "f",
        "the role may not read and write the history: every deploy fails",
        `GRANT SELECT, INSERT, UPDATE ON ${table} TO ${role}`,
      ],
    ]
    const problems = grants.flatMap(([isMissing, message, sql]): readonly Problem[] =>
      isMissing ? [{ message, next: `as the owner or a superuser: ${sql}` }] : [],
    )
    return failedWith(problems)
  },
}

export const owner: Examination<DatabaseContext> = {
  id: "rights/owner",
  title: "the role owns the tables that migrations change",
  why: "ALTER TABLE is for a table's owner alone: a migration that changes another's table fails.",
  async examine({ client, target: { url } }) {
    const { rows } = await client.query<{ name: string; owner: string }>({
      text: `SELECT c.relname AS name, pg_get_userbyid(c.relowner) AS owner
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = $1 AND c.relkind IN ('r', 'p', 'v', 'm') AND NOT pg_has_role(c.relowner, 'USAGE')
          AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
        ORDER BY 1`,
      values: [url.schema],
    })
    const owners = [...new Set(rows.map((row) => row.owner))]
    return failedWith(
      owners.map((name) => {
        const tables = rows.filter((row) => row.owner === name).map((row) => row.name)
        return {
          message: `${tables.length === 1 ? "a table belongs" : `${tables.length} tables belong`} to ${name}, and only an owner may alter a table: ${few(tables)}`,
          next: `deploy as ${name}, or as a superuser: GRANT ${quoteIdentifier(name)} TO ${quoteIdentifier(url.user)}`,
        }
      }),
    )
  },
}

/** Whether the role may make a scratch database beside the database. */
export async function mayScratch({ client }: Pick<DatabaseContext, "client">): Promise<boolean> {
  const { rows } = await client.query<{ may: string }>(
    "SELECT rolsuper OR rolcreatedb AS may FROM pg_roles WHERE rolname = current_user",
  )
  return rows[0]?.may === "t"
}

export const scratch: Examination<DatabaseContext> = {
  id: "rights/scratch",
  title: "a scratch database can be had for what replays the history",
  why: "migrate, undo, diff and `deploy --verify schema` replay the history on a scratch database.",
  async examine(context) {
    if (context.project.shadowUrl !== undefined) return passed
    if (await mayScratch(context)) return passed
    return warned({
      message:
        "the role may not create databases: migrate, undo and diff, which replay the history on a scratch database, fail here; deploy and status do not need one",
      next: `ALTER ROLE ${quoteIdentifier(context.target.url.user)} CREATEDB, or name an empty database as datasource.shadowDatabaseUrl in prisma.config`,
    })
  },
}
