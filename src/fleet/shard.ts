import { createHash } from "node:crypto"
import { LockstepError } from "../errors.js"
import type { FleetTarget } from "./target.js"

/** A share of a list: the `index`-th, from 1, of `count`. */
export interface Shard {
  readonly index: number
  readonly count: number
}

/** What names a shard. */
export interface ShardSettings {
  /** --shard, such as "3/16". */
  readonly shard: string | undefined
  /** --shards; 0: none. */
  readonly shards: number
  /** JOB_COMPLETION_INDEX, which Kubernetes sets in each pod of an Indexed Job: from 0 on. */
  readonly completionIndex: string | undefined
}

/**
 * The share that a process takes: --shard 3/16 says it; with --shards 16 it is the pod's of an Indexed Job.
 * Undefined: the whole list. Errors: L2004 there is no such share.
 */
export function parseShard({ shard, shards, completionIndex }: ShardSettings): Shard | undefined {
  if (shard !== undefined && shards > 0) throw wrong("--shard and --shards are both given", "give one of them")
  if (shard !== undefined) {
    const [, index = "", count = ""] = /^(\d{1,6})\/(\d{1,6})$/.exec(shard) ?? []
    if (!isShare({ index: Number(index), count: Number(count) }))
      throw wrong(
        `--shard ${JSON.stringify(shard.slice(0, 40))} is no share of a list`,
        "write it as 3/16: the third of 16 shares",
      )
    return { index: Number(index), count: Number(count) }
  }
  if (shards === 0) return undefined
  if (!completionIndex)
    throw wrong(
      "--shards needs JOB_COMPLETION_INDEX, and it is not set",
      "run it in an Indexed Job, or give --shard 1/16",
    )
  const index = /^\d{1,6}$/.test(completionIndex) ? Number(completionIndex) + 1 : 0
  if (!isShare({ index, count: shards }))
    throw wrong(
      `JOB_COMPLETION_INDEX is not a number below --shards ${shards}`,
      "set --shards to the Job's completions",
    )
  return { index, count: shards }
}

const isShare = ({ index, count }: Shard): boolean => index >= 1 && index <= count

const wrong = (message: string, next: string): LockstepError =>
  new LockstepError("L2004", message, { state: "nothing was touched.", next })

/**
 * The targets of a share. A target's share depends on its key and the number of shares alone: one that is added or
 * removed, or another order, moves no other target, so that pods which read the list at different times leave none out
 * and take none twice.
 */
export const inShard = (targets: readonly FleetTarget[], { index, count }: Shard): readonly FleetTarget[] =>
  targets.filter(({ key }) => shareOf(key, count) === index)

/** From 1 on: the first six bytes of the key's sha256 as a number, modulo the number of shares, plus 1. */
export const shareOf = (key: string, count: number): number =>
  (createHash("sha256").update(key).digest().readUIntBE(0, 6) % count) + 1
