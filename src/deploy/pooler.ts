import { LockstepError } from "../errors.js"
import { type Client, connect } from "../postgres/connect.js"
import type { Connecting } from "./request.js"

/** A pooler hands the most recently freed server connection to whoever asks next; a few tries meet it. */
const tries = 5
const answerMs = 1000

/**
 * Refuses a pooler that shares server connections between clients: a session's advisory lock protects nothing there.
 * A pooler gives away that it is one by the process id in its greeting, which is not the server's; that it shares
 * connections, when a second client is given the server process of the first, which is still connected, or when the
 * first one's server process changes.
 * Errors: L1021.
 */
export async function refusePooler(client: Client, pid: number, request: Connecting): Promise<void> {
  const greeted = (client as Client & { readonly processID?: number | null }).processID
  if (greeted === pid) return
  if (!(await sharesConnections(pid, client, request))) return
  throw new LockstepError("L1021", `${request.url.display} is a transaction pooler (PgBouncer or its like)`, {
    hint: "It gives one session's statements to several server connections, so the migration lock would protect nothing.",
    state: "nothing was touched.",
    next: "set DATABASE_URL to the database's direct address (or to a pool in session mode)",
  })
}

async function sharesConnections(pid: number, first: Client, request: Connecting): Promise<boolean> {
  const second = await connect(request.url, { applicationName: request.applicationName })
  try {
    for (let attempt = 0; attempt < tries; attempt++) {
      const other = await backendOf(second)
      if (other === pid) return true
      // Every connection of a session pool is taken: the second client waits for one of its own.
      if (other === undefined) return false
      if ((await backendOf(first)) !== pid) return true
    }
    return false
  } finally {
    // Where the query still hangs, the farewell would wait behind it.
    void second.end().catch(() => undefined)
  }
}

/** The server process behind a client; undefined where no answer comes in time. */
async function backendOf(client: Client): Promise<number | undefined> {
  const query = client.query<{ pid: string }>("SELECT pg_backend_pid() AS pid").then(({ rows }) => Number(rows[0]?.pid))
  const silence = new Promise<undefined>((resolve) => setTimeout(resolve, answerMs, undefined).unref())
  query.catch(() => undefined)
  return await Promise.race([query, silence])
}
