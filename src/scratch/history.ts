import type { ScratchDatabase } from "./database.js"

/** The beginning of a history, replayed once: each further use is a copy. */
export interface ReplayedHistory {
  /** What was run there, in order, initShadowDb included. */
  readonly scripts: readonly string[]
  /** Opens a copy, or replays it where there is none any more. */
  readonly open: () => Promise<ScratchDatabase>
}

/** A database to copy, and the schema that unqualified names mean in it. */
export interface ScratchTemplate {
  readonly template: string
  readonly schema: string
}
