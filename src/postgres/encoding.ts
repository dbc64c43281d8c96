import type { EventEmitter } from "node:events"
import type { Client } from "./connect.js"

interface Wire {
  readonly connection: EventEmitter
}

/**
 * Restores the encoding that everything is sent in, before anything else is sent: SQL that sets client_encoding would
 * have the server read the UTF-8 text after it as another encoding, and store other characters without an error. The
 * server reports every change, whatever made it. Call this once the client is connected, because the driver has to see
 * the end of a message first.
 * Source: PostgreSQL's documentation, "Asynchronous Operations" in the chapter on the protocol's message flow.
 */
export function keepUtf8(client: Client): void {
  const { connection } = client as Client & Wire
  let changed = false
  connection.on("parameterStatus", ({ parameterName, parameterValue }: Record<string, string>) => {
    if (parameterName === "client_encoding") changed = parameterValue !== "UTF8"
  })
  connection.on("readyForQuery", ({ status }: { readonly status: string }) => {
    // In a failed transaction nothing can be set; its ROLLBACK comes first.
    if (!changed || status === "E") return
    changed = false
    client.query("SET client_encoding='UTF8'").catch(() => {
      changed = true
    })
  })
}
