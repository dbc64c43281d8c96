import { LockstepError } from "../../errors.js"
import { type Comparison, compare } from "../../history/compare.js"
import { readHistory } from "../../history/recorded.js"
import type { Client } from "../../postgres/connect.js"
import type { DeployRequest } from "../context.js"

/**
 * Reads the history back, under the lock, and compares it with the folder: every migration recorded once as applied, or
 * more than once only where it was so `before`.
 * Resolves to how many are recorded. Errors: L1030 the history says something else.
 */
export async function verifyHistory(
  client: Client,
  { url, folder }: DeployRequest,
  before: Pick<Comparison, "duplicates">,
): Promise<number> {
  const recorded = await readHistory(client, url.schema)
  const { applied, pending, failed, duplicates } = compare(folder.migrations, recorded ?? [])
  const twice = duplicates.filter((name) => !before.duplicates.includes(name))
  const wrong = [
    ...pending.map(({ name }) => `${name} is not recorded`),
    ...failed.map(({ name }) => `${name} is recorded as failed`),
    ...twice.map((name) => `${name} is recorded twice`),
  ]
  if (wrong.length === 0) return applied.length
  throw new LockstepError("L1030", "the deploy went through, but the history read back is another one", {
    hint: wrong.join("\n"),
    state: "what the history says stands; somebody else may have changed it during the deploy.",
    next: "pnpm db:status",
  })
}
