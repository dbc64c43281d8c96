import { LockstepError } from "../errors.js"
import { printable } from "../printable.js"
import type { Target } from "../project/database-url.js"

/** What a command asks on a terminal. */
export interface Question {
  readonly message: string
  /** An example of an answer. */
  readonly placeholder: string
}

/** Asks on the terminal; undefined where there is none, and where the question is cancelled. */
export async function askText(question: Question): Promise<string | undefined> {
  if (!process.stdin.isTTY) return undefined
  const { isCancel, text } = await import("@clack/prompts")
  const answer = await text({ ...question, output: process.stderr })
  return isCancel(answer) ? undefined : answer
}

/** Asks on the terminal; no where there is none, and where the question is cancelled. */
export async function askYesOrNo(message: string): Promise<boolean> {
  if (!process.stdin.isTTY) return false
  const { confirm, isCancel } = await import("@clack/prompts")
  const answer = await confirm({ message, output: process.stderr })
  return !isCancel(answer) && answer
}

/** A question with a few answers. */
export interface Choice<T extends string> {
  readonly message: string
  /** The first is selected at the beginning. */
  readonly options: readonly { readonly value: T; readonly label: string }[]
}

/** Has one of the answers chosen on the terminal; undefined where there is none, and where the question is cancelled. */
export async function askChoice<T extends string>({ message, options }: Choice<T>): Promise<T | undefined> {
  if (!process.stdin.isTTY) return undefined
  const { isCancel, select } = await import("@clack/prompts")
  const lines = options.map(({ value, label }) => ({ value: String(value), label: printable(label) }))
  const answer = await select({ message: printable(message), options: lines, output: process.stderr })
  return isCancel(answer) ? undefined : options.find(({ value }) => value === answer)?.value
}

/** A destructive command that needs consent. */
export interface Destruction {
  readonly target: Target
  /** --yes. */
  readonly yes: boolean
  /** What it does: "dropping all data". */
  readonly what: string
}

/**
 * Allows a destructive command: always on the project's test database, elsewhere with --yes or with the database's name
 * typed on a terminal. Errors: L1305 no consent.
 */
export async function confirmDestruction({ target, yes, what }: Destruction): Promise<void> {
  if (yes || target.isTestDatabase) return
  const { database, display } = target.url
  const message = `${what} on ${display}. Type the database's name to continue:`
  if ((await askText({ message, placeholder: database })) === database) return
  throw new LockstepError("L1305", `${what} on ${display} needs consent`, {
    state: "nothing was touched.",
    next: "add --yes if the data of this database may be lost",
  })
}
