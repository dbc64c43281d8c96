import { LockstepError } from "../errors.js"
import { historyList, type Step } from "./history-list.js"
import { withEngine } from "./setting.js"
import type { States, UndoInput } from "./undo.js"

/**
 * Lets the schema engine compare, in both directions: the history with the undo against the history before; and with
 * the undone migrations once more against the whole history. Errors: L1413 there is a difference.
 */
export async function proveByEngine(input: UndoInput, { before, undone }: States, sql: string): Promise<void> {
  const up = [...before, ...undone]
  const down = [...up, { name: "undo", sql }]
  const again = [...down, ...undone.map((step) => ({ ...step, name: `again_${step.name}` }))]
  const list = (steps: readonly Step[]) =>
    ({ tag: "migrations", ...historyList(input.folder.dir, steps, input.initShadowDb) }) as const
  await withEngine(input, undefined, async (engine) => {
    for (const [one, other] of [
      [down, before],
      [again, up],
    ] as const) {
      for (const [from, to] of [
        [one, other],
        [other, one],
      ] as const) {
        const { empty, text } = await engine.diff(list(from), list(to), "summary")
        if (!empty) throw leadsElsewhere(text)
      }
    }
  })
}

function leadsElsewhere(difference: string): LockstepError {
  return new LockstepError("L1413", "the undo does not lead back to the earlier schema", {
    hint: difference.trim(),
    state: "nothing was touched: it was tried on shadow databases, and nothing was written.",
    next: "write it by hand: lockstep migrate --create-only --name undo_…",
  })
}
