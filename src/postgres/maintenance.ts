import { type Client, type ConnectOptions, connect } from "./connect.js"
import { type DatabaseUrl, withDatabase } from "./url.js"

/**
 * Connects to a database of the server that is always there, to create or drop another from it: `postgres`, or where it
 * was dropped or the role may not connect to it, `template1`. Errors: L12xx, that of `postgres`.
 */
export async function connectToServer(url: DatabaseUrl, options: ConnectOptions = {}): Promise<Client> {
  return await connect(withDatabase(url, "postgres"), options).catch(async (error: unknown) => {
    return await connect(withDatabase(url, "template1"), options).catch(() => Promise.reject(error))
  })
}
