import type { Client } from "../postgres/connect.js"
import { observerSchema, type WriteCommand } from "./observer.js"

/** What a database holds at one moment: every relation, column and other object outside of PostgreSQL's own schemas. */
export interface Snapshot {
  readonly relations: ReadonlyMap<number, Relation>
  /** By the table's oid and the column's number. */
  readonly columns: ReadonlyMap<string, Column>
  /** By catalog and oid. */
  readonly objects: ReadonlyMap<string, CatalogEntry>
  readonly foreignKeys: readonly ForeignKey[]
  readonly rowTriggers: readonly RowTrigger[]
  /** Modes by relation that the observed session holds, as pg_locks writes them. */
  readonly locks: ReadonlyMap<number, readonly string[]>
  /** Functions of the user's by oid, with how often the session called them in this transaction. */
  readonly calls: ReadonlyMap<number, FunctionCalls>
}

/** A row of pg_class. `version` is the row's place: it changes whenever the row does. */
export interface Relation {
  readonly oid: number
  readonly schema: string
  readonly name: string
  /** pg_class.relkind. */
  readonly kind: string
  /** Of the file that holds it; another one means that it was written anew or emptied. */
  readonly file: number | null
  readonly version: string
  /** For an index, its table; otherwise 0. */
  readonly indexOf: number
  /** Sequential scans, builds of indexes included; rows written. All since the session's transaction began. */
  readonly scans: number
  readonly inserted: number
  readonly updated: number
  readonly deleted: number
}

/** A column. */
export interface Column {
  readonly table: number
  readonly name: string
  readonly type: string
  readonly notNull: boolean
  /** Whether a new row gets a value without being given one: a default, an identity, a generated column. */
  readonly filled: boolean
  readonly version: string
}

/** Any other object: a constraint, trigger, policy, function, type, enum value, schema, extension, ... */
export interface CatalogEntry {
  readonly kind: string
  readonly name: string
  /** The relation that it belongs to; 0 where it belongs to none. */
  readonly table: number
  readonly version: string
}

/** A foreign key between two tables; the actions are pg_constraint's letters. */
export interface ForeignKey {
  readonly name: string
  readonly from: number
  readonly to: number
  readonly onDelete: string
  readonly onUpdate: string
}

/** A trigger of the user's that runs once a row, and its function. */
export interface RowTrigger {
  readonly table: number
  readonly name: string
  readonly on: readonly WriteCommand[]
  readonly language: string
  readonly source: string
}

export interface FunctionCalls {
  readonly name: string
  readonly calls: number
  readonly language: string
  readonly source: string
}

/** Whose locks are read, and which statistics: of the session's open transaction, or of all that ended. */
export interface SnapshotOf {
  readonly pid: number
  readonly statistics: "transaction" | "ended"
}

/** Reads a snapshot; in the observed session itself, or beside it. Takes no lock on a user's relation. */
export async function takeSnapshot(client: Client, of: SnapshotOf): Promise<Snapshot> {
  const { rows } = await client.query<{ answer: string }>(snapshotQuery(of))
  return parse(JSON.parse(rows[0]?.answer ?? "{}") as Answer)
}

type Flag = 0 | 1
interface Answer {
  readonly relations: readonly [
    number,
    string,
    string,
    string,
    number | null,
    string,
    number,
    number,
    number,
    number,
    number,
  ][]
  readonly columns: readonly [number, number, string, string, Flag, Flag, string][]
  readonly objects: readonly [string, number, string, number, string][]
  readonly keys: readonly [string, number, number, string, string][]
  readonly triggers: readonly [number, string, number, string, string][]
  readonly locks: readonly [number, string][]
  readonly calls: readonly [number, string, number, string, string][]
}

function parse(answer: Answer): Snapshot {
  const locks = new Map<number, string[]>()
  for (const [oid, mode] of answer.locks) locks.set(oid, [...(locks.get(oid) ?? []), mode])
  return {
    relations: new Map(
      answer.relations.map(([oid, schema, name, kind, file, version, indexOf, scans, inserted, updated, deleted]) => [
        oid,
        { oid, schema, name, kind, file, version, indexOf, scans, inserted, updated, deleted },
      ]),
    ),
    columns: new Map(
      answer.columns.map(([table, number, name, type, notNull, filled, version]) => [
        `${table}.${number}`,
        { table, name, type, notNull: notNull === 1, filled: filled === 1, version },
      ]),
    ),
    objects: new Map(
      answer.objects.map(([kind, oid, name, table, version]) => [`${kind} ${oid}`, { kind, name, table, version }]),
    ),
    foreignKeys: answer.keys.map(([name, from, to, onDelete, onUpdate]) => ({ name, from, to, onDelete, onUpdate })),
    rowTriggers: answer.triggers.map(([table, name, type, language, source]) => ({
      ...{ table, name, language, source },
      on: [...eventBits].flatMap(([bit, command]) => ((type & bit) === 0 ? [] : [command])),
    })),
    locks,
    calls: new Map(
      answer.calls.map(([oid, name, calls, language, source]) => [oid, { name, calls, language, source }]),
    ),
  }
}

/** Bits of pg_trigger.tgtype. Source: PostgreSQL's src/include/catalog/pg_trigger.h. */
const rowBit = 1
const eventBits: ReadonlyMap<number, WriteCommand> = new Map([
  [4, "insert"],
  [8, "delete"],
  [16, "update"],
])

/** The user's schemas. */
const own = (namespace: string): string =>
  `${namespace}.nspname !~ '^pg_' AND ${namespace}.nspname NOT IN ('information_schema', '${observerSchema}')`

const rows = (columns: string, from: string): string =>
  `(SELECT coalesce(json_agg(json_build_array(${columns})), '[]') FROM ${from})`

/** An object's row: kind, oid, name, table, version. */
const objects: readonly string[] = [
  `SELECT 'constraint', k.oid, k.conname, k.conrelid, k.ctid FROM pg_constraint k JOIN own_class c ON c.oid = k.conrelid`,
  `SELECT 'trigger', t.oid, t.tgname, t.tgrelid, t.ctid FROM pg_trigger t JOIN own_class c ON c.oid = t.tgrelid
    WHERE NOT t.tgisinternal AND t.tgname <> '${observerSchema}'`,
  `SELECT 'policy', p.oid, p.polname, p.polrelid, p.ctid FROM pg_policy p`,
  `SELECT 'rule', r.oid, r.rulename, r.ev_class, r.ctid FROM pg_rewrite r JOIN own_class c ON c.oid = r.ev_class
    WHERE r.rulename <> '_RETURN'`,
  `SELECT 'default', d.oid, '', d.adrelid, d.ctid FROM pg_attrdef d JOIN own_class c ON c.oid = d.adrelid`,
  `SELECT 'parent', i.inhrelid, i.inhparent::text, i.inhrelid, i.ctid FROM pg_inherits i JOIN own_class c ON c.oid = i.inhrelid`,
  `SELECT 'statistics', s.oid, s.stxname, s.stxrelid, s.ctid FROM pg_statistic_ext s`,
  `SELECT CASE p.prokind WHEN 'p' THEN 'procedure' WHEN 'a' THEN 'aggregate' ELSE 'function' END, p.oid,
      format('%I.%I', n.nspname, p.proname), 0, p.ctid
    FROM pg_proc p JOIN own_namespace n ON n.oid = p.pronamespace
    WHERE NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_proc'::regclass AND e.objid = p.oid AND e.deptype = 'e')`,
  `SELECT CASE t.typtype WHEN 'e' THEN 'enum' WHEN 'd' THEN 'domain' ELSE 'type' END, t.oid,
      format('%I.%I', n.nspname, t.typname), 0, t.ctid
    FROM pg_type t JOIN own_namespace n ON n.oid = t.typnamespace LEFT JOIN pg_class c ON c.oid = t.typrelid
    WHERE t.typtype IN ('e', 'd', 'r', 'c') AND coalesce(c.relkind, 'c') = 'c'
      AND NOT EXISTS (SELECT FROM pg_depend e WHERE e.classid = 'pg_type'::regclass AND e.objid = t.oid AND e.deptype = 'e')`,
  `SELECT 'enum value', v.oid, format('%I.%I.%L', n.nspname, t.typname, v.enumlabel), 0, v.ctid
    FROM pg_enum v JOIN pg_type t ON t.oid = v.enumtypid JOIN own_namespace n ON n.oid = t.typnamespace`,
  `SELECT 'schema', n.oid, quote_ident(n.nspname), 0, n.ctid FROM own_namespace n`,
  `SELECT 'extension', e.oid, quote_ident(e.extname), 0, e.ctid FROM pg_extension e WHERE e.extname <> 'plpgsql'`,
  `SELECT 'event trigger', e.oid, quote_ident(e.evtname), 0, e.ctid FROM pg_event_trigger e`,
  `SELECT 'publication', p.oid, quote_ident(p.pubname), 0, p.ctid FROM pg_publication p`,
]

function snapshotQuery({ pid, statistics }: SnapshotOf): string {
  const of = statistics === "transaction" ? "pg_stat_get_xact" : "pg_stat_get"
  return `/* lockstep */ WITH own_namespace AS (SELECT n.ctid, n.oid, n.nspname FROM pg_catalog.pg_namespace n WHERE ${own("n")}),
  own_class AS (SELECT c.ctid, c.oid, n.nspname, c.relname, c.relkind FROM pg_catalog.pg_class c
    JOIN own_namespace n ON n.oid = c.relnamespace)
  SELECT json_build_object(
    'relations', ${rows(
      `c.oid::bigint, c.nspname, c.relname, c.relkind, pg_relation_filenode(c.oid)::bigint, c.ctid, coalesce(i.indrelid, 0)::bigint,
      ${of}_numscans(c.oid), ${of}_tuples_inserted(c.oid), ${of}_tuples_updated(c.oid), ${of}_tuples_deleted(c.oid)`,
      "own_class c LEFT JOIN pg_catalog.pg_index i ON i.indexrelid = c.oid WHERE c.relkind <> 'c'",
    )},
    'columns', ${rows(
      `a.attrelid::bigint, a.attnum, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull::int,
      (a.atthasdef OR a.attidentity <> '')::int, a.ctid`,
      `pg_catalog.pg_attribute a JOIN own_class c ON c.oid = a.attrelid
      WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'f', 'm', 'v')`,
    )},
    'objects', ${rows("o.kind, o.oid::bigint, o.name, o.owner::bigint, o.version", `(${objects.join(" UNION ALL ")}) AS o(kind, oid, name, owner, version)`)},
    'keys', ${rows(
      "k.conname, k.conrelid::bigint, k.confrelid::bigint, k.confdeltype, k.confupdtype",
      "pg_catalog.pg_constraint k JOIN own_class c ON c.oid = k.conrelid WHERE k.contype = 'f'",
    )},
    'triggers', ${rows(
      "t.tgrelid::bigint, t.tgname, t.tgtype, l.lanname, p.prosrc",
      `pg_catalog.pg_trigger t JOIN own_class c ON c.oid = t.tgrelid JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
      JOIN pg_catalog.pg_language l ON l.oid = p.prolang WHERE NOT t.tgisinternal AND t.tgtype & ${rowBit} > 0 AND t.tgenabled <> 'D'`,
    )},
    'locks', ${rows(
      "l.relation::bigint, l.mode",
      `pg_catalog.pg_locks l WHERE l.pid = ${pid} AND l.locktype = 'relation' AND l.granted
      AND l.database = (SELECT d.oid FROM pg_catalog.pg_database d WHERE d.datname = current_database())`,
    )},
    'calls', ${rows(
      "f.funcid::bigint, format('%I.%I', f.schemaname, f.funcname), f.calls, l.lanname, p.prosrc",
      `pg_catalog.pg_stat${statistics === "transaction" ? "_xact" : ""}_user_functions f JOIN pg_catalog.pg_proc p ON p.oid = f.funcid
      JOIN pg_catalog.pg_language l ON l.oid = p.prolang WHERE f.schemaname <> '${observerSchema}'`,
    )}
  )::text AS answer`
}
