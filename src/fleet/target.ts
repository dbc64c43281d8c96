import type { DatabaseUrl } from "../postgres/url.js"

/** One database, or one schema of a database, that a fleet's migrations go to. */
export interface FleetTarget {
  /** For people and reports; unique in the list. */
  readonly name: string
  /**
   * What it is recognized by in a later run and in another pod's list: the name that the list gives it, else its address.
   * It depends on its own line alone.
   */
  readonly key: string
  readonly url: DatabaseUrl
  readonly group: string | undefined
  /** Those with a lower number are done before one with a higher number begins. */
  readonly order: number
}

/** The server of a target, "host:port". */
export const hostOf = ({ url }: Pick<FleetTarget, "url">): string => `${url.host}:${url.port}`

/** The database of a target: the migration lock is held once in it, whatever the schema. */
export const databaseOf = ({ url }: Pick<FleetTarget, "url">): string => `${url.host}:${url.port}/${url.database}`

/** Where the history lives: two targets with the same address are the same target. */
export const addressOf = ({ url }: Pick<FleetTarget, "url">): string =>
  `${url.host}:${url.port}/${url.database}?schema=${url.schema}`
