import type { TargetProgress } from "../../cli/fleet/work.js"
import { type FailureGroup, groupFailures, type Outcome } from "../../fleet/outcome.js"
import type { Stop } from "../../fleet/run.js"
import { type FleetTarget, hostOf } from "../../fleet/target.js"
import { errorObject } from "../error.js"
import type { ErrorAnswer } from "../schemas.js"
import type { FleetSummary, TargetResult } from "./json.js"

type ResultTarget = Pick<TargetResult, "name" | "group" | "server" | "database" | "databaseSchema">

/** A target by its name and address, for programs. */
export function targetOf(target: FleetTarget): ResultTarget {
  const { database, schema: databaseSchema } = target.url
  return { name: target.name, group: target.group ?? null, server: hostOf(target), database, databaseSchema }
}

/** How it went with a target, for programs. `progress`: what is known of one that did not succeed. */
export function resultOf(outcome: Outcome<TargetProgress>, progress: TargetProgress): TargetResult {
  const { state } = outcome
  const { newest, applied } = state === "done" ? outcome.result : progress
  return {
    ...{ ...targetOf(outcome.target), state, newest, applied },
    durationMs: "durationMs" in outcome ? outcome.durationMs : null,
    error: "error" in outcome ? errorObject(outcome.error) : null,
  }
}

/** A summary but for the results and what is counted from them. */
export type FleetFacts = Pick<
  FleetSummary,
  "command" | "history" | "migrations" | "shard" | "durationMs" | "runFile"
> & {
  readonly stop: Stop["why"] | undefined
}

/** Counts and groups the results of a fleet. */
export function summaryOf(results: readonly TargetResult[], { stop: why, ...facts }: FleetFacts): FleetSummary {
  const number = (...states: readonly TargetResult["state"][]) =>
    results.filter(({ state }) => states.includes(state)).length
  return {
    ...{ schema: "lockstep.fleet/1", event: "done", ...facts },
    targets: results.length,
    done: number("done", "done before"),
    changed: results.filter(({ applied }) => applied.length > 0).length,
    failed: number("failed"),
    interrupted: number("interrupted"),
    notStarted: number("not started"),
    notKnown: number("not known"),
    stopped: why ?? null,
    failures: failuresIn(results),
    results,
  }
}

interface Failed extends ResultTarget {
  readonly state: string
  readonly error: ErrorAnswer | null
}

/** Failures by their reason. */
export function failuresIn(results: readonly Failed[]): readonly FailureGroup<ErrorAnswer>[] {
  const byName = new Map(results.map((one) => [one.name, one]))
  const failures = results.flatMap(({ name, state, error }) =>
    state === "failed" && error !== null ? [{ target: name, error }] : [],
  )
  return groupFailures(
    failures,
    (error) => error,
    (name) => {
      const { server = "", database = "", databaseSchema = "" } = byName.get(name) ?? {}
      return [name, server, database, databaseSchema === "public" ? "" : databaseSchema]
    },
  )
}

/** Whether every target is up to date. */
export const isComplete = ({ targets, done }: FleetSummary): boolean => targets === done
