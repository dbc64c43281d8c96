import type { DiffTarget } from "@prisma/schema-engine-wasm/schema_engine_bg"
import { LockstepError } from "../errors.js"
import type { Folder } from "../history/folder.js"
import type { Engine } from "./engine.js"
import { historyList, type Step } from "./history-list.js"
import type { Setting } from "./setting.js"

/** The history up to the goal, and what comes after it. */
export interface States {
  readonly before: readonly Step[]
  readonly undone: readonly Step[]
}

type History = Pick<Setting, "initShadowDb"> & { readonly folder: Folder }

/** A part of a history, as one side of the engine's diff. */
export const target = ({ folder, initShadowDb }: History, steps: readonly Step[]): DiffTarget => ({
  tag: "migrations",
  ...historyList(folder.dir, steps, initShadowDb),
})

/**
 * Lets the schema engine compare, in both directions: the history with the undo against the history before; and with
 * the undone migrations once more against the whole history. Errors: L1413 there is a difference.
 */
export async function proveByEngine(engine: Engine, input: History, { before, undone }: States, sql: string) {
  const up = [...before, ...undone]
  const down = [...up, { name: "undo", sql }]
  const again = [...down, ...undone.map((step) => ({ ...step, name: `again_${step.name}` }))]
  // Shorter histories first: a replay goes on from the one before it.
  for (const [one, other] of [
    [before, down],
    [down, before],
    [up, again],
    [again, up],
  ] as const) {
    const { empty, text } = await engine.diff(target(input, one), target(input, other), "summary")
    if (!empty) throw leadsElsewhere(text)
  }
}

function leadsElsewhere(difference: string): LockstepError {
  return new LockstepError("L1413", "the undo does not lead back to the earlier schema", {
    hint: difference.trim(),
    state: "nothing was touched: it was tried on shadow databases, and nothing was written.",
    next: "write it by hand: lockstep migrate --create-only --name undo_…",
  })
}
