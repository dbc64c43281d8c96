import type { Step } from "../scratch/replay.js"
import { type Effect, effects } from "../sql/effects.js"
import { parseScript } from "../sql/parse.js"
import { quoted } from "../sql/tree.js"

/** What an undo costs, in words. */
export interface UndoCost {
  /** Data that is gone afterwards, or that was gone before and does not come back. */
  readonly losses: readonly string[]
  /** What fails where the data does not allow it. */
  readonly conditions: readonly string[]
}

/** Reads an undo's SQL and the migrations that it takes back. */
export async function undoCost(sql: string, undone: readonly Step[]): Promise<UndoCost> {
  const effectsOfUndo = await effectsOf(sql)
  const before = await Promise.all(
    undone.map(async ({ name, sql }) => (await effectsOf(sql)).flatMap(goneFor).map((what) => `${what} (${name})`)),
  )
  return {
    losses: unique([...effectsOfUndo.flatMap(({ destroys }) => destroys ?? []), ...before.flat()]),
    conditions: unique([...effectsOfUndo.flatMap(condition), ...(await narrowedEnums(sql))]),
  }
}

/** What a migration that is taken back has done to data for good. */
function goneFor({ rule, destroys, table }: Effect): readonly string[] {
  if (destroys) return [`${destroys} comes back without its data`]
  const overwrites = rule === "update-all" || rule === "update-some" || rule === "merge"
  return overwrites && table ? [`the values that an UPDATE of ${quoted(table)} overwrote`] : []
}

function condition({ rule, table }: Effect): readonly string[] {
  const name = table ? quoted(table) : "the table"
  switch (rule) {
    case "add-column-not-null":
      return [`a required column is added to ${name}: only where it has no rows`]
    case "set-not-null":
      return [`a column of ${name} becomes required: only where no row lacks it`]
    case "alter-column-type":
      return [`a column of ${name} changes its type: only where every value can be read as the new one`]
    default:
      return []
  }
}

/** The engine takes values out of an enum by making a new type and casting to it. */
async function narrowedEnums(sql: string): Promise<readonly string[]> {
  const script = await parseScript(sql)
  if (script.kind === "unparsed") return []
  return script.statements.flatMap(({ node }) =>
    "CreateEnumStmt" in node ? ["values are taken out of an enum: only where no row uses them"] : [],
  )
}

async function effectsOf(sql: string): Promise<readonly Effect[]> {
  const script = await parseScript(sql)
  return script.kind === "unparsed" ? [] : script.statements.flatMap(({ node }) => effects(node))
}

const unique = (lines: readonly string[]): readonly string[] => [...new Set(lines)]
