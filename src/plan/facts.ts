import type { Node } from "libpg-query"
import type { Client } from "../postgres/connect.js"
import { find, identifiers } from "../sql/tree.js"

/** What an estimate needs to know about a database beside its tables' sizes. */
export interface CatalogFacts {
  /** Names of functions and procedures that are the user's own. */
  readonly functions: ReadonlySet<string>
  readonly domains: ReadonlySet<string>
  /** Names of tables that have triggers, rules or inheriting children: writing to them does more than the SQL shows. */
  readonly active: ReadonlySet<string>
  readonly foreignKeys: readonly {
    readonly name: string
    readonly from: string
    readonly to: string
    readonly onDelete: string
  }[]
  /** The default partition of a partitioned table: the rows in it are read before another partition may take some. */
  readonly defaultPartitions: ReadonlyMap<string, string>
  /** Whether an event trigger runs whenever something is changed. */
  readonly eventTriggers: boolean
  /** Types of the columns, by table and column. */
  readonly types: ReadonlyMap<string, string>
}

/** The key of a column in `types`. */
export const columnKey = (table: string, column: string): string => JSON.stringify([table, column])

interface Answer {
  readonly functions: readonly string[]
  readonly domains: readonly string[]
  readonly active: readonly string[]
  readonly keys: readonly [string, string, string, string][]
  readonly defaults: readonly [string, string][]
  readonly events: number
  readonly types: readonly [string, string, string][]
}

/** Reads the facts about the tables of these names; takes no lock on any of them. */
export async function readFacts(client: Client, tables: readonly string[]): Promise<CatalogFacts> {
  const { rows } = await client.query<{ answer: string }>({ text: query, values: [tables] })
  const answer = JSON.parse(rows[0]?.answer ?? "{}") as Answer
  return {
    functions: new Set(answer.functions),
    domains: new Set(answer.domains),
    active: new Set(answer.active),
    foreignKeys: answer.keys.map(([name, from, to, onDelete]) => ({ name, from, to, onDelete })),
    defaultPartitions: new Map(answer.defaults),
    eventTriggers: answer.events > 0,
    types: new Map(answer.types.map(([table, column, type]) => [columnKey(table, column), type])),
  }
}

/** The same with what the pending statements make themselves. */
export function withPending(facts: CatalogFacts, nodes: readonly Node[]): CatalogFacts {
  const triggers = [...find(nodes, "CreateTrigStmt"), ...find(nodes, "RuleStmt")]
  const parents = [...find(nodes, "CreateStmt")].flatMap(({ inhRelations = [] }) => [...find(inhRelations, "RangeVar")])
  const active = [...triggers.map(({ relation }) => relation), ...parents].flatMap((one) => one?.relname ?? [])
  const named = (names: readonly Node[] | undefined) => identifiers(names).slice(-1)
  return {
    ...facts,
    functions: new Set([
      ...facts.functions,
      ...[...find(nodes, "CreateFunctionStmt")].flatMap(({ funcname }) => named(funcname)),
    ]),
    domains: new Set([
      ...facts.domains,
      ...[...find(nodes, "CreateDomainStmt")].flatMap(({ domainname }) => named(domainname)),
    ]),
    active: new Set([...facts.active, ...active]),
    eventTriggers: facts.eventTriggers || [...find(nodes, "CreateEventTrigStmt")].length > 0,
  }
}

const list = (select: string): string => `(SELECT coalesce(json_agg(x), '[]') FROM (${select}) AS l(x))`
const own = "nspname !~ '^pg_' AND nspname <> 'information_schema'"

const query = `SELECT json_build_object(
  'functions', ${list(`SELECT DISTINCT p.proname FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE ${own}
    AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_proc'::regclass AND e.objid = p.oid AND e.deptype = 'e')`)},
  'domains', ${list(`SELECT DISTINCT t.typname FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace WHERE t.typtype = 'd' AND ${own}`)},
  'active', ${list(`SELECT DISTINCT c.relname FROM pg_class c WHERE c.relname = ANY ($1) AND (
      EXISTS (SELECT FROM pg_trigger t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal)
      OR EXISTS (SELECT FROM pg_rewrite r WHERE r.ev_class = c.oid AND r.rulename <> '_RETURN')
      OR (c.relkind = 'r' AND EXISTS (SELECT FROM pg_inherits i WHERE i.inhparent = c.oid)))`)},
  'keys', ${list(`SELECT json_build_array(k.conname, f.relname, t.relname, k.confdeltype) FROM pg_constraint k
    JOIN pg_class f ON f.oid = k.conrelid JOIN pg_class t ON t.oid = k.confrelid
    WHERE k.contype = 'f' AND (f.relname = ANY ($1) OR t.relname = ANY ($1) OR k.confdeltype IN ('c', 'n', 'd'))`)},
  'defaults', ${list(`SELECT json_build_array(c.relname, d.relname) FROM pg_partitioned_table p
    JOIN pg_class c ON c.oid = p.partrelid JOIN pg_class d ON d.oid = p.partdefid WHERE c.relname = ANY ($1)`)},
  'events', (SELECT count(*) FROM pg_event_trigger WHERE evtenabled <> 'D'),
  'types', ${list(`SELECT json_build_array(c.relname, a.attname, format_type(a.atttypid, a.atttypmod)) FROM pg_attribute a
    JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relname = ANY ($1) AND a.attnum > 0 AND NOT a.attisdropped AND ${own}`)}
)::text AS answer`
