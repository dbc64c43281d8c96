import { LockstepError } from "../errors.js"
import type { Target } from "../project/database-url.js"

/**
 * Allows a destructive command: always on the project's test database, elsewhere with --yes or with the
 * database's name typed on a terminal. Errors: L1305 no consent.
 */
export async function confirmDestruction({
  target,
  yes,
  what,
}: {
  target: Target
  yes: boolean
  what: string
}): Promise<void> {
  if (yes || target.isTestDatabase) return
  const { database, display } = target.url
  const refusal = new LockstepError("L1305", `${what} on ${display} needs consent`, {
    state: "nothing was touched.",
    next: "add --yes when the data of this database may go",
  })
  if (!process.stdin.isTTY) throw refusal
  const { isCancel, text } = await import("@clack/prompts")
  const typed = await text({
    message: `${what} on ${display}. Type the database's name to continue:`,
    placeholder: database,
    output: process.stderr,
  })
  if (isCancel(typed) || typed !== database) throw refusal
}
