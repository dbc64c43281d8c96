import { DatabaseError } from "pg"
import { LockstepError } from "../errors.js"
import type { Client } from "../postgres/connect.js"
import { quoteIdentifier } from "../postgres/quote.js"
import { runScript, type Session } from "./script.js"

/**
 * Runs a script on a scratch database.
 * Errors: L1409 it asks for an extension or a role that this server lacks; otherwise the server's own.
 */
export async function runOnScratch(session: Session, script: string): Promise<void> {
  try {
    await runScript(session, script)
  } catch (error) {
    throw (await lackedBy(session.client, script, error)) ?? error
  }
}

/** The error's cause, where it is an extension or a role that may exist on the target's server, and does not on this one. */
export async function lackedBy(client: Client, sql: string, error: unknown): Promise<LockstepError | undefined> {
  if (!(error instanceof DatabaseError)) return undefined
  const { code = "" } = error
  const find = mayLackExtension.has(code) ? lackedExtension : code === undefinedObject ? lackedRole : undefined
  if (find === undefined) return undefined
  await client.query("ROLLBACK")
  const found = await find(client, sql)
  return (
    found &&
    new LockstepError("L1409", `the scratch server lacks ${found.what}`, {
      ...{ sqlstate: code, cause: error },
      state: "nothing was touched: the migrations run on a scratch database first.",
      next: found.next,
    })
  )
}

/** feature_not_supported; undefined_file before PostgreSQL 15. */
const mayLackExtension = new Set(["0A000", "58P01"])
const undefinedObject = "42704"

interface Lack {
  readonly what: string
  readonly next: string
}

const creation = /\bcreate\s+extension\s+(?:if\s+not\s+exists\s+)?(?:"((?:[^"]|"")+)"|([\w$]+))/gi

/** By the text, because DO blocks create extensions as well; the server knows which of them it has. */
async function lackedExtension(client: Client, sql: string): Promise<Lack | undefined> {
  const named = [...sql.matchAll(creation)].map(([, quoted, plain = ""]) =>
    quoted === undefined ? plain.toLowerCase() : quoted.replaceAll('""', '"'),
  )
  const name = await firstWithout(client, named, "SELECT FROM pg_available_extensions e WHERE e.name = asked.name")
  return name === undefined
    ? undefined
    : {
        what: `the extension "${name}"`,
        next: `name a server that has it with --shadow-url postgresql://…, such as a container of an image with ${name}`,
      }
}

async function lackedRole(client: Client, sql: string): Promise<Lack | undefined> {
  const [{ parseScript }, { find }] = await Promise.all([import("../sql/parse.js"), import("../sql/tree.js")])
  const parsed = await parseScript(sql)
  if (parsed.kind !== "script") return undefined
  const named = parsed.statements.flatMap(({ node }) =>
    [...find(node, "RoleSpec")].flatMap((role) => role.rolename ?? []),
  )
  const name = await firstWithout(client, named, "SELECT FROM pg_roles r WHERE r.rolname = asked.name")
  return name === undefined
    ? undefined
    : { what: `the role "${name}"`, next: `create it there: CREATE ROLE ${quoteIdentifier(name)}` }
}

async function firstWithout(client: Client, names: readonly string[], row: string): Promise<string | undefined> {
  if (names.length === 0) return undefined
  const { rows } = await client.query<{ name: string }>({
    text: `SELECT asked.name FROM unnest($1::text[]) WITH ORDINALITY AS asked (name, place) WHERE NOT EXISTS (${row}) ORDER BY place LIMIT 1`,
    values: [names],
  })
  return rows[0]?.name
}
