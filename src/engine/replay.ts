import { DatabaseError } from "pg"
import { LockstepError } from "../errors.js"
import { adviceFor } from "../postgres/advice.js"
import type { Client } from "../postgres/connect.js"
import { quoteIdentifier, sqlstateOf } from "../postgres/sqlstate.js"
import { excerpt } from "../sql/excerpt.js"
import { offsetOfPosition, placeAt } from "../sql/place.js"
import type { Step } from "./history-list.js"
import { runScript, searchPath } from "./script.js"
import type { Setting } from "./setting.js"
import { openShadow } from "./shadow.js"

/** Does work on an empty database beside the real one, which is dropped afterwards whatever happens. */
export async function withShadow<T>(setting: Setting, work: (client: Client) => Promise<T>): Promise<T> {
  const { schema } = setting.url
  const { client, drop } = await openShadow(setting.url, setting.shadowUrl)
  try {
    await client.query(`CREATE SCHEMA IF NOT EXISTS ${quoteIdentifier(schema)}; ${searchPath(schema)}`)
    if (setting.initShadowDb) await runScript(client, schema, setting.initShadowDb)
    return await work(client)
  } finally {
    await drop()
  }
}

/** Runs migrations on a shadow database. Errors: L1406 one of them fails, with its place. */
export async function replay(client: Client, schema: string, steps: readonly Step[]): Promise<void> {
  for (const step of steps) {
    await runScript(client, schema, step.sql).catch((cause) => Promise.reject(replayFailed(step, cause)))
  }
}

function replayFailed({ name, sql }: Step, cause: unknown): unknown {
  if (!(cause instanceof DatabaseError)) return cause
  // Where the script was sent in parts the position counts from the part's beginning, which is not known here.
  const whole = cause.position === undefined ? undefined : placeAt(sql, offsetOfPosition(sql, Number(cause.position)))
  return new LockstepError("L1406", `${name} cannot be replayed on an empty database: ${cause.message}`, {
    file: `${name}/migration.sql`,
    line: whole?.line,
    column: whole?.column,
    excerpt: whole && excerpt(sql, whole.line, whole.column),
    sqlstate: sqlstateOf(cause),
    hint: [cause.detail, cause.hint, adviceFor(cause.code)].filter(Boolean).join("\n") || undefined,
    state: "nothing was touched: it was a shadow database, and it is dropped.",
    next: "mend that migration's SQL (it must not need what no earlier migration creates), then run the same command again",
    cause,
  })
}
