import type { Client } from "../postgres/connect.js"
import { effects } from "../sql/effects.js"
import { parseScript } from "../sql/parse.js"
import { quoted } from "../sql/relation.js"
import type { Refusal } from "./failure.js"
import type { Prepared } from "./prepare.js"

/** Who keeps a statement from its lock, in one line: the statement, the lock it wants, and the sessions in its way. */
export async function blockersOf(client: Client, prepared: Prepared, { error, statement }: Refusal): Promise<string> {
  if (error.code !== "55P03") return `${error.message} (${error.code})`
  const script = await parseScript(prepared.sql)
  const failed = script.kind === "script" ? script.statements[statement] : undefined
  if (failed === undefined) return error.message
  const wanted = effects(failed.node).flatMap(({ table, lock }) => (table ? [{ table: quoted(table), lock }] : []))
  const holders = await holdersOf(
    client,
    wanted.map(({ table }) => table),
  )
  const line = failed.text.replaceAll(/\s+/g, " ").slice(0, 60)
  const lock = wanted[0] ? ` for ${wanted[0].lock}` : ""
  return `${line} waited in vain${lock}${holders ? `; held by ${holders}` : ""}`
}

async function holdersOf(client: Client, tables: readonly string[]): Promise<string> {
  const { rows } = await client.query<{ holder: string }>({
    text: `SELECT DISTINCT format('pid %s (%s), %s', a.pid,
        concat_ws(', ', coalesce(nullif(a.application_name, ''), a.backend_type), coalesce(host(a.client_addr), 'local')),
        concat_ws(' ', a.state, 'for', round(extract(epoch FROM clock_timestamp() - a.xact_start)), 's')) AS holder
      FROM unnest($1::text[]) AS wanted(name) JOIN pg_locks l ON l.relation = to_regclass(wanted.name) AND l.granted
      JOIN pg_stat_activity a ON a.pid = l.pid WHERE l.pid <> pg_backend_pid() LIMIT 3`,
    values: [tables],
  })
  return rows.map(({ holder }) => holder).join("; ")
}
