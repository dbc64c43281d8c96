/**
 * How a column's values reach another type: by ALTER COLUMN TYPE alone, which casts as an assignment does, or by
 * USING with an explicit cast, which cuts a text that is too long where an assignment refuses it.
 */
export type CastBy = "assignment" | "explicit cast"

/** What a change of a column's type does to its values, whatever rows there are. */
export type Cast =
  /** Not one of PostgreSQL's own conversions: a user's type, a domain, an enum. Nothing is known about the values. */
  | { readonly known: "no" }
  | {
      readonly known: "yes"
      /** What some values silently lose, such as "digits after the decimal point"; absent: every value is kept. */
      readonly loses?: string
      /** The values with which the statement fails, such as "values over 2147483647"; absent: none. */
      readonly fails?: string
      /** Whether PostgreSQL writes the table anew; "depends": on the session's time zone. */
      readonly rewrites: boolean | "depends"
    }

/** A cast of PostgreSQL's own. */
export type Known = Extract<Cast, { known: "yes" }>

/** Every value is kept. */
export const kept = (rewrites: Known["rewrites"]): Known => ({ known: "yes", rewrites })

interface Costs {
  readonly loses?: string | undefined
  readonly fails?: string | undefined
}

/** A cast that some values do not survive. */
export function costing({ loses, fails }: Costs, rewrites: Known["rewrites"]): Known {
  return { ...kept(rewrites), ...(loses === undefined ? {} : { loses }), ...(fails === undefined ? {} : { fails }) }
}
