import { LockstepError } from "../../errors.js"
import { type Comparison, compare } from "../../history/compare.js"
import { readHistory } from "../../history/recorded.js"
import type { DeployContext } from "../context.js"

/**
 * Reads the history back, under the lock, and compares it with the folder: every migration recorded once as applied, or
 * more than once only where it was so `before`.
 * Resolves to how many are recorded. Errors: L1030 the history is another one.
 */
export async function verifyHistory(
  { client, request: { url, folder } }: DeployContext,
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
  throw new LockstepError("L1030", "the migrations were applied, but the history read back does not match", {
    hint: wrong.join("\n"),
    state: "the history was probably changed by somebody else during the deploy.",
    next: "`lockstep status`",
  })
}
