import * as z from "zod/mini"
import { LockstepError } from "../../errors.js"
import { type FleetSummary, fleetBegan, fleetSummary, fleetTarget, type TargetResult } from "./json.js"
import { summaryOf } from "./results.js"

/** What several processes printed with --json, put together. */
export interface Collected {
  readonly summary: FleetSummary
  /** The migrations or backfills that were run, in their order; none where no log says so. */
  readonly names: readonly string[]
  /** Of how many shares; null where the list was not shared out. */
  readonly shards: number | null
  /** Shares of which there is no result, such as "4/16". */
  readonly missingShards: readonly string[]
}

/** What `lockstep fleet report --json` prints. */
export const fleetReportAnswer = z.strictObject({
  ...fleetSummary.shape,
  ...{ schema: z.literal("lockstep.fleet-report/1"), event: z.literal("done") },
  shards: z.nullable(z.number()),
  missingShards: z.readonly(z.array(z.string())),
})

const line = z.union([fleetBegan, fleetTarget, fleetSummary])
type Line = z.infer<typeof line>

/** A log's text, and its file's name. */
export interface Log {
  readonly file: string
  readonly text: string
}

/** The lines of ours in a log: `kubectl logs` may put the pod's name before each, and a program may print lines of its own. */
function linesIn({ text }: Log): readonly Line[] {
  return text.split("\n").flatMap((each) => {
    const start = each.indexOf("{")
    if (start < 0 || !each.includes('"lockstep.fleet/1"')) return []
    try {
      const parsed = z.safeParse(line, JSON.parse(each.slice(start)))
      return parsed.success ? [parsed.data] : []
    } catch {
      return []
    }
  })
}

/**
 * One summary of the shares of a fleet's deploy. Where a target was deployed to several times, such as by a pod that was started
 * again, the last time counts. Errors: L2006 no results, or of several histories.
 */
export function collect(logs: readonly Log[]): Collected {
  const byFile = logs.map((log) => ({ ...log, lines: linesIn(log) }))
  const empty = byFile.find(({ lines }) => lines.length === 0)
  if (empty !== undefined)
    throw wrong(
      `there are no results in ${empty.file}`,
      "collect what `lockstep deploy --targets … --json` prints on stdout",
    )
  const all = byFile.flatMap(({ lines }) => lines)
  const began = all.filter((one) => one.event === "began")
  const done = all.filter((one) => one.event === "done")
  const histories = [...new Set([...began, ...done].map(({ history }) => history))]
  const [history, another] = histories
  if (history === undefined || another !== undefined)
    throw wrong(
      history === undefined
        ? "the results do not say which migrations were deployed"
        : "the results are of different migrations",
      "report on the logs of one release, from their first line on",
    )
  const { migrations = 0, command } = [...began, ...done][0] ?? {}
  const results = resultsIn(all)
  const stop = done.find(({ stopped }) => stopped !== null)?.stopped ?? undefined
  const durationMs = Math.max(0, ...done.map((one) => one.durationMs))
  const summary = summaryOf(results, {
    ...(command && { command }),
    history,
    migrations,
    shard: null,
    durationMs,
    runFile: null,
    stop,
  })
  const names = began.find((one) => one.names !== undefined)?.names ?? []
  return { summary, names, ...sharesIn([...began, ...done].flatMap(({ shard }) => shard ?? [])) }
}

const wrong = (message: string, next: string): LockstepError => new LockstepError("L2006", message, { next })

/** Of each target what was reported last; of one whose process ended before, that it is not known. */
function resultsIn(lines: readonly Line[]): readonly TargetResult[] {
  const ended = new Map<string, { at: string; result: TargetResult }>()
  const others = new Map<string, TargetResult>()
  for (const one of lines) {
    if (one.event === "target") {
      const { schema: _, at, event: __, ...result } = one
      if ((ended.get(one.name)?.at ?? "") <= at) ended.set(one.name, { at, result })
    }
    if (one.event === "done") for (const result of one.results) others.set(result.name, result)
    if (one.event === "began")
      for (const name of one.targets) if (!others.has(name)) others.set(name, unknownResult(name))
  }
  const names = [...new Set([...others.keys(), ...ended.keys()])]
  return names.map((name) => ended.get(name)?.result ?? others.get(name) ?? unknownResult(name))
}

const unknownResult = (name: string): TargetResult => ({
  ...{ name, group: null, server: "", database: "", databaseSchema: "", state: "not known" },
  ...{ newest: null, applied: [], durationMs: null, error: null },
})

function sharesIn(found: readonly string[]): Pick<Collected, "shards" | "missingShards"> {
  const shards = Math.max(0, ...found.map((shard) => Number(shard.split("/")[1])))
  const all = Array.from({ length: shards }, (_, index) => `${index + 1}/${shards}`)
  return { shards: shards === 0 ? null : shards, missingShards: all.filter((shard) => !found.includes(shard)) }
}
