import type { Check } from "./check.js"
import { compat } from "./client/compat.js"
import { loss } from "./data/loss.js"
import { unbounded } from "./data/unbounded.js"
import { edited } from "./history/edited.js"
import { empty } from "./history/empty.js"
import { lockFile } from "./history/lock-file.js"
import { missing } from "./history/missing.js"
import { mixed } from "./history/mixed.js"
import { name } from "./history/name.js"
import { order } from "./history/order.js"
import { blocksReaders, blocksWriters } from "./lock/blocks.js"
import { rewrites } from "./lock/rewrites.js"
import { scans } from "./lock/scans.js"
import { drift } from "./schema/drift.js"
import { uncommitted } from "./schema/uncommitted.js"
import { lint } from "./sql/lint.js"
import { roundTrip } from "./undo/round-trip.js"

/** Every check, in the order in which they are listed. */
export const checks: readonly Check[] = [
  edited,
  missing,
  order,
  name,
  lockFile,
  mixed,
  empty,
  uncommitted,
  drift,
  rewrites,
  scans,
  blocksReaders,
  blocksWriters,
  loss,
  unbounded,
  roundTrip,
  compat,
  lint,
]
