import { type BackfillResult, type BackfillSettings, defaultBackfillSettings } from "../backfill/context.js"
import type { BackfillEvent } from "../backfill/events.js"
import { chooseBackfills, readBackfills } from "../backfill/file.js"
import { runBackfill } from "../cli/backfill.js"
import { backfillsFolder } from "../history/folder.js"
import { open, type Source } from "./source.js"

/** Which backfills to run and how; what is not given is as for `lockstep backfill`. Times are milliseconds. */
export interface BackfillOptions extends Source, Partial<BackfillSettings> {
  /** The backfills, or the beginnings of their names; all that are not finished where it is not given. */
  readonly names?: readonly string[]
  /** Shown as application_name, so that another process that waits can report who runs it. */
  readonly applicationName?: string
  /** When it aborts, the batch at work ends or is canceled, and the run fails with L1001. */
  readonly signal?: AbortSignal
  readonly onEvent?: (event: BackfillEvent) => void
}

/**
 * Runs the backfills beside a migrations folder, as `lockstep backfill` does: each row is handled once, whatever is killed
 * when. Rejects with a LockstepError: L2101 to L2109, L1001 interrupted, L1014, L1016, L1021, L12xx.
 */
export async function backfill(options: BackfillOptions): Promise<BackfillResult> {
  const { url, folder } = open(options)
  const keys = Object.keys(defaultBackfillSettings) as (keyof BackfillSettings)[]
  const settings: BackfillSettings = Object.assign(
    {},
    ...keys.map((key) => ({ [key]: options[key] ?? defaultBackfillSettings[key] })),
  )
  return await runBackfill({
    ...{ url, folder, settings, applicationName: options.applicationName ?? "lockstep" },
    backfills: chooseBackfills(readBackfills(backfillsFolder(folder.dir)), options.names ?? []),
    signal: options.signal ?? new AbortController().signal,
    onEvent: options.onEvent ?? (() => undefined),
  })
}
