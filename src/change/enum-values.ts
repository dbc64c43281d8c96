import { classify } from "../sql/classify.js"
import { parseScript, type Statement } from "../sql/parse.js"

/** A script in two parts, the first of which must be committed before the second can run. */
export interface Parts {
  readonly first: string
  readonly rest: string
}

/**
 * Takes ALTER TYPE … ADD VALUE out of a script of the schema engine's where a later statement uses the new value:
 * PostgreSQL allows that only after a commit, so that the script as a whole could not be applied in one transaction.
 * undefined where it can. `before`: what must run before the values are added, such as the rename of their enum.
 */
export async function separateEnumValues(before: string, script: string): Promise<Parts | undefined> {
  const parsed = await parseScript(script)
  if (parsed.kind === "unparsed" || classify(parsed).class === "transactional") return undefined
  const added = parsed.statements.filter(addsValue)
  if (added.length === 0 || added.length === parsed.statements.length) return undefined
  const first = ["-- AlterEnum", ...added.map(({ text }) => `${text};`)].join("\n")
  return { first: `${before === "" ? "" : `${before.trimEnd()}\n\n`}${first}\n`, rest: withoutThese(script, added) }
}

/** RENAME VALUE has an old one. */
const addsValue = ({ node }: Statement): boolean =>
  "AlterEnumStmt" in node && node.AlterEnumStmt.newVal !== undefined && node.AlterEnumStmt.oldVal === undefined

/** The script without these statements and the lines of comments before each. */
function withoutThese(script: string, statements: readonly Statement[]): string {
  const kept: string[] = []
  let from = 0
  for (const { start, end } of statements) {
    const lines = script.slice(from, start).split("\n")
    while (lines.length > 0 && /^\s*(?:--.*)?$/.test(lines.at(-1) ?? "")) lines.pop()
    kept.push(lines.join("\n"))
    from = script.startsWith(";", end) ? end + 1 : end
  }
  return `${[...kept, script.slice(from)]
    .join("\n")
    .replaceAll(/\n{3,}/g, "\n\n")
    .trim()}\n`
}
