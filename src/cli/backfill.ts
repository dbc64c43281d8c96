import {
  type BackfillRequest,
  type BackfillResult,
  type BackfillSettings,
  defaultBackfillSettings,
} from "../backfill/context.js"
import { runBackfills } from "../backfill/run.js"
import { version } from "../version.js"
import type { OptionTable } from "./options.js"
import { deployOptions, projectOptions } from "./shared-options.js"

/** How `lockstep backfill` runs, on one database or many. */
export const backfillOptions = {
  ...projectOptions,
  batch: {
    type: "count",
    default: defaultBackfillSettings.batch,
    description: "how many rows a batch has at most; a backfill's own lockstep-batch lowers it",
  },
  batchTime: {
    type: "duration",
    default: defaultBackfillSettings.batchTime,
    description: "how long a batch is to take: its number of rows follows from that",
  },
  pause: {
    type: "duration",
    default: defaultBackfillSettings.pause,
    description: "how long to wait between two batches",
  },
  maxLag: {
    type: "duration",
    default: defaultBackfillSettings.maxLag,
    description: "wait while a replica is further behind than this; 0: no replica is looked at",
  },
  restart: {
    type: "boolean",
    description: "forget what was done of the named backfills, and begin again",
    source: "command line",
  },
  resumeEdited: {
    type: "boolean",
    description: "continue a backfill whose file was edited since it began: the rest is done as the file is now",
    source: "command line",
  },
  connectTimeout: deployOptions.connectTimeout,
  lockWait: {
    type: "duration",
    default: defaultBackfillSettings.lockWait,
    description: "how long to wait for another process that runs the same backfill; 0: not at all",
  },
  lockTimeout: {
    type: "duration",
    default: defaultBackfillSettings.lockTimeout,
    description:
      "how long a batch waits for locked rows before it is canceled, made smaller and retried; 0: without a limit",
  },
  retries: {
    type: "count",
    default: defaultBackfillSettings.retries,
    description:
      "how often to retry a batch after a lock timeout, a deadlock, a statement_timeout or a lost connection",
  },
} as const satisfies OptionTable

/** A run of backfills; `settings` may have others beside them. */
export type BackfillCall = Omit<BackfillRequest, "settings"> & { readonly settings: BackfillSettings }

/** Runs them; the first event says what is run where. */
export async function runBackfill(call: BackfillCall): Promise<BackfillResult> {
  const { host, port, database, schema: databaseSchema } = call.url
  const backfills = call.backfills.map(({ name }) => name)
  call.onEvent({ event: "began", version, backfills, host, port, database, databaseSchema })
  return await runBackfills(call)
}
