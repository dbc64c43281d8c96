import type { Client } from "../postgres/connect.js"
import { schemaNames } from "../project/schema-blocks.js"
import { classify } from "../sql/classify.js"
import { effects } from "../sql/effects.js"
import { parseScript, type Statement } from "../sql/parse.js"
import { typeChanges } from "../sql/types.js"
import { amountOf, counted, impossibleWith, type Rows } from "./existing-rows.js"
import { goneValues, isLossOf, type Loss, lossesOf } from "./losses.js"
import { asRename } from "./renames/candidates.js"
import { type Answer, type Decision, decide } from "./renames/decide.js"
import { flagFor } from "./renames/flags.js"
import { type Naming, namingFor, type Rename, renamed, thingText } from "./renames/rename.js"
import { type ChangeSetting, restAfter, type Structures, structures } from "./renames/scratch.js"
import { renameScript } from "./renames/script.js"

/** What a new migration does. */
export interface Change {
  readonly sql: string
  /** What the schema engine warns of, in its words; of renamed things it knows nothing. */
  readonly warnings: readonly string[]
  /** Steps that fail with the data in the database, in words. */
  readonly unexecutable: readonly string[]
  /** The data that is gone afterwards, in words, whatever rows the database has. */
  readonly losses: readonly string[]
  /** Those of them that nobody has accepted when asked. */
  readonly unaccepted: readonly string[]
  /** What is renamed, in words. */
  readonly renames: readonly string[]
  /** What may be a rename, about which nobody decided, and the flag that decides. */
  readonly candidates: readonly RenameCandidate[]
}

/** A possible rename, in words. */
interface RenameCandidate {
  readonly gone: string
  readonly to: string
  /** Where names must differ: the table of a column, the enum of a value; empty for these themselves. */
  readonly place: string
  readonly flag: string
}

/** What is known about renames. */
export interface Decisions {
  /** `User.name=displayName`, each; see `--rename`. */
  readonly told: readonly string[]
  /** Asks about a thing that is gone and may be one of the new ones, all in words. */
  readonly ask: (question: RenameQuestion) => Promise<Answer>
}

/** A thing that is gone, in words, and the names that it may have now. */
export interface RenameQuestion {
  readonly gone: string
  readonly candidates: readonly string[]
  /** What would be lost without a rename: "200,000 values"; undefined where there is nothing to count. */
  readonly amount: string | undefined
}

/** `before`: what must be applied and committed before the rest, where there is such a thing. */
type FinishedChange = Change & { readonly before?: string | undefined }

/**
 * Looks at the engine's script for what the engine does not see: renames, which it takes for a thing that is dropped
 * and another one that is added; data that is lost, whatever rows there are now; and enum values that must be committed
 * before they are used. `client` is connected to the database itself. Errors: L1415, L1416.
 */
export async function finishChange(draft: Change, setting: Setting, client: Client): Promise<FinishedChange> {
  const script = await parseScript(draft.sql)
  if (script.kind === "unparsed") return draft
  const { schema } = setting.url
  if (!script.statements.some(mayLose) && !setting.decisions?.told.length) return await separated("", draft)

  const found = await structures(setting, draft.sql)
  const decision = await decided(setting, found, client)
  const { renames, open } = decision
  const named = namingFor(schema)
  const candidates = open.map((each) => ({
    gone: thingText(each, each.from, named),
    to: each.to,
    place: "table" in each ? each.table : "enum" in each ? each.enum : "",
    flag: flagFor(each, schema),
  }))
  const looking = { ...found, decision, named, rows: { client, schema, renames } }
  if (renames.length === 0) return await separated("", { ...draft, candidates, ...(await losses(script, looking)) })

  const renaming = renameScript(found.start, renames, named)
  const rest = await restAfter(renaming, setting)
  const parsed = await parseScript(rest)
  const restScript = parsed.kind === "script" ? parsed : { statements: [] }
  const before = renamed(found.start, renames)
  return await separated(renaming, {
    sql: rest,
    warnings: [],
    unexecutable: await impossibleWith(restScript.statements, before, looking.rows),
    ...(await losses(restScript, { ...looking, start: before })),
    renames: renames.map((each) => whatOf(each, named)),
    candidates,
  })
}

const whatOf = (rename: Rename, named: Naming): string => `${thingText(rename, rename.from, named)} to ${rename.to}`

/** Whether a statement of the engine's takes something away. */
const mayLose = ({ node }: Statement): boolean =>
  effects(node).some(({ destroys }) => destroys !== undefined) ||
  typeChanges(node).length > 0 ||
  "CreateEnumStmt" in node ||
  "DropStmt" in node

async function decided({ decisions, schemaFiles, url }: Setting, { start, goal }: Structures, client: Client) {
  const { schema } = url
  return await decide(start, goal, {
    told: decisions?.told ?? [],
    names: schemaNames(schemaFiles),
    ask: async (gone, renames) => {
      if (decisions === undefined) return { answer: "none" }
      const table = gone.kind === "table" ? gone.name : gone.kind === "column" ? gone.parent : undefined
      const place =
        table === undefined
          ? undefined
          : { table: { schema: gone.schema, name: table }, column: gone.parent && gone.name }
      return await decisions.ask({
        gone: thingText(asRename(gone, gone.name), gone.name, namingFor(schema)),
        candidates: gone.candidates,
        amount: place === undefined ? undefined : await amountOf(place, { client, schema, renames }),
      })
    },
  })
}

interface Setting extends ChangeSetting {
  readonly decisions?: Decisions | undefined
}

interface Looking extends Structures {
  readonly decision: Decision
  readonly named: Naming
  readonly rows: Rows
}

/** What a script loses from the structure `start` on, and what of it nobody has accepted. */
async function losses(
  { statements }: { readonly statements: readonly Statement[] },
  { start, goal, decision, named, rows }: Looking,
): Promise<Pick<Change, "losses" | "unaccepted">> {
  const isAccepted = (found: Loss) => decision.dropped.some((each) => isLossOf(found, each))
  const all = [...lossesOf(statements, start, rows.schema), ...goneValues(start, goal, named)]
  return {
    losses: await counted(all, rows),
    unaccepted: await counted(
      all.filter((each) => !isAccepted(each)),
      rows,
    ),
  }
}

async function separated(renaming: string, change: Change): Promise<FinishedChange> {
  const parts = await separateEnumValues(renaming, change.sql)
  if (parts !== undefined) return { ...change, sql: parts.rest, before: parts.first }
  return renaming === "" ? change : { ...change, sql: `${renaming}\n${change.sql}`.trimEnd().concat("\n") }
}

/** A script in two parts, the first of which must be committed before the second can run. */
interface Parts {
  readonly first: string
  readonly rest: string
}

/**
 * Takes ALTER TYPE … ADD VALUE out of a script of the schema engine's where a later statement uses the new value:
 * PostgreSQL allows that only after a commit, so that the script as a whole could not be applied in one transaction.
 * undefined where it can. `before`: what must run before the values are added, such as the rename of their enum.
 */
async function separateEnumValues(before: string, script: string): Promise<Parts | undefined> {
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
