import type { Plan, Work } from "../plan/planned.js"
import { canBeApplied, type HazardName, planVerdict } from "./plan-verdict.js"

/** The plan for programs: lockstep.plan/1. */
export function planObject(plan: Plan, refused: readonly HazardName[]): object {
  return {
    schema: "lockstep.plan/1",
    canBeApplied: canBeApplied(plan),
    refused,
    verdict: planVerdict(plan, refused),
    failed: plan.failed,
    strangers: plan.strangers ?? null,
    migrations: plan.migrations.map(({ name, file, class: kind, why, outOfOrder, unparsed, statements }) => ({
      name,
      file,
      class: kind,
      why: why ?? null,
      outOfOrder,
      unparsed: unparsed ?? null,
      statements: statements.map(({ line, text, work }) => ({ line, text, work: work.map(workObject) })),
    })),
  }
}

function workObject({ target, table, ...work }: Work): object {
  const existing = target.state === "existing" ? target : undefined
  return {
    table: table ?? null,
    state: target.state,
    kind: existing?.kind ?? null,
    rows: existing?.rows ?? null,
    bytes: existing?.bytes ?? null,
    ...work,
  }
}
