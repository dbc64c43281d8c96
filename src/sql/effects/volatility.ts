import type { Node } from "libpg-query"
import { find, identifiers } from "../tree.js"

/**
 * Whether an expression has to be computed for every row. What a function of the user's own does, the SQL does not tell
 * ("depends"); the built-in ones are known by name. Operators are taken to be what PostgreSQL's own are: not volatile.
 */
export function volatility(expression: Node): "volatile" | "depends" | "not volatile" {
  const names = [...find(expression, "FuncCall")].map(({ funcname }) => identifiers(funcname).at(-1) ?? "")
  if (names.some((name) => volatile.has(name))) return "volatile"
  return names.every((name) => notVolatile.has(name)) ? "not volatile" : "depends"
}

const volatile: ReadonlySet<string> = new Set(
  `clock_timestamp currval gen_random_bytes gen_random_uuid lastval nextval random random_normal setval timeofday txid_current
   uuid_generate_v1 uuid_generate_v1mc uuid_generate_v4 uuidv4 uuidv7`.split(/\s+/),
)

const notVolatile: ReadonlySet<string> = new Set(
  `abs array_fill chr coalesce concat concat_ws current_database current_schema current_setting date_part date_trunc
   decode digest encode format greatest int4range int8range json_build_array json_build_object jsonb_build_array
   jsonb_build_object least left length lower lpad make_date make_interval make_time make_timestamp make_timestamptz md5
   now nullif numrange repeat replace right round rpad sha256 statement_timestamp substr substring timezone to_char
   to_date to_json to_jsonb to_number to_timestamp to_tsvector transaction_timestamp trim tsrange tstzrange upper
   uuid_nil uuid_ns_dns uuid_ns_url`.split(/\s+/),
)
