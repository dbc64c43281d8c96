import { LockstepError } from "../errors.js"
import type { NewMigration } from "./create-migration.js"
import { renameFlag } from "./renames/flags.js"
import type { Undo } from "./undo.js"

/** What the person has accepted for a new migration. */
export interface MigrationConsent {
  /** As it was given, for the command to type. */
  readonly name: string
  readonly createOnly: boolean
  readonly acceptDataLoss: boolean
}

/**
 * Why a migration is not written: it would lose data, or cannot be applied, and the next deploy would run it. A file for
 * editing may do both, but not where it is to be decided first whether something was renamed. `told` is what was told of
 * renames. Errors: L1410, L1411.
 */
export function migrationRefusal(
  { unaccepted, candidates, unexecutable }: NewMigration,
  { name, createOnly, acceptDataLoss }: MigrationConsent,
  told: readonly string[],
): LockstepError | undefined {
  const isUndecided = !acceptDataLoss && candidates.length > 0
  const isLossy = !acceptDataLoss && !createOnly && unaccepted.length > 0
  const isImpossible = !createOnly && unexecutable.length > 0
  if (!isUndecided && !isLossy && !isImpossible) return undefined
  const state = "nothing was written or applied."
  const flags = [...told.map(renameFlag), ...likeliest(candidates), ...(createOnly ? ["--create-only"] : [])]
  const hint = [
    ...candidates.map(({ gone, to, flag }) => `perhaps renamed: ${gone} to ${to}   ${flag}`),
    ...unaccepted.map((what) => `lost: ${what}`),
    ...unexecutable,
  ].join("\n")
  if (isUndecided)
    return new LockstepError("L1410", "the migration would lose data, unless something was renamed", {
      ...{ hint, state },
      next: `\`lockstep migrate --name ${/^[\w-]+$/.test(name) ? name : `"${name}"`} ${flags.join(" ")}\`, or add --accept-data-loss when that data may go`,
    })
  if (isImpossible)
    return new LockstepError("L1411", "the migration cannot be applied to the existing data", {
      ...{ hint, state },
      next: "add --create-only to write it, then edit it so that it takes care of the data",
    })
  return new LockstepError("L1410", "the migration would lose data", {
    ...{ hint, state },
    next: "add --accept-data-loss when that data may go, or --create-only to write it for editing",
  })
}

/** One flag for each thing that is gone, and each new name in one of them alone. */
function likeliest(candidates: NewMigration["candidates"]): readonly string[] {
  const chosen = new Map<string, NewMigration["candidates"][number]>()
  for (const each of candidates) {
    const isTaken = [...chosen.values()].some(({ place, to }) => place === each.place && to === each.to)
    if (!chosen.has(each.gone) && !isTaken) chosen.set(each.gone, each)
  }
  return [...chosen.values()].map(({ flag }) => flag)
}

/** What the person has accepted for an undo. */
export interface UndoConsent {
  readonly acceptDataLoss: boolean
  readonly draft: boolean
}

/** Why an undo is not written. Errors: L1410 it loses data, L1412 not all of it can be generated. */
export function undoRefusal({ losses, byHand }: Undo, consent: UndoConsent): LockstepError | undefined {
  const state = "nothing was written."
  if (byHand.length > 0 && !consent.draft) {
    return new LockstepError("L1412", "not all of it can be undone by generated SQL", {
      hint: byHand.join("\n"),
      state,
      next: "add --draft to write what can be generated, and complete it by hand",
    })
  }
  if (losses.length > 0 && !consent.acceptDataLoss) {
    return new LockstepError("L1410", "the undo loses data that does not come back", {
      hint: losses.join("\n"),
      state,
      next: "add --accept-data-loss when that data may go",
    })
  }
  return undefined
}
