/** Conditions and names that the queries of this folder share. */

/** SQL: an object is no part of an extension. */
export const own = (catalog: string, oid: string): string =>
  `NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = '${catalog}'::regclass AND e.objid = ${oid} AND e.deptype = 'e')`

/** SQL: the schema `n` is none of PostgreSQL's. */
export const userSchema = "n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"

/** The schemas `n`. */
export const schemas = `pg_namespace n`

/** A relation `c` of a user's schema `n`, without the history. */
export const relations = (kinds: string): string =>
  `pg_namespace n JOIN pg_class c ON c.relnamespace = n.oid AND c.relkind IN (${kinds}) AND c.relname <> '_prisma_migrations'
    AND ${own("pg_class", "c.oid")} AND ${userSchema}`

/** A name in its schema; without the schema where that is the first of the search path. */
export const named = (name: string, schema = "n.nspname"): string =>
  `CASE WHEN ${schema} = current_schema() THEN format('%I', ${name}) ELSE format('%I.%I', ${schema}, ${name}) END`
