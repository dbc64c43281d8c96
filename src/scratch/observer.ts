import type { Client } from "../postgres/connect.js"
import { BoundedConnection } from "../postgres/incoming.js"

/** The schema, and the name of the trigger on every table, of what reports writes on a scratch database. */
export const observerSchema = "lockstep_observer"

/** A command that changes rows, as a statement trigger is told. */
export type WriteCommand = "insert" | "update" | "delete" | "truncate"

/** A write that was reported: on which table, also where it found no row. */
export interface Write {
  readonly table: number
  readonly command: WriteCommand
}

/**
 * SQL that has every table report what is written to it. A statement trigger fires also where no row is changed, for
 * MERGE and TRUNCATE … CASCADE as well, and inside of functions; an INFO message reaches the client whatever
 * client_min_messages says. Source: PostgreSQL's documentation, CREATE TRIGGER and "Error Message Reporting".
 */
export const installObserver = `
  CREATE SCHEMA IF NOT EXISTS ${observerSchema};
  CREATE OR REPLACE FUNCTION ${observerSchema}.report() RETURNS trigger LANGUAGE plpgsql AS $report$
  BEGIN
    RAISE INFO '${observerSchema} % %', TG_RELID::pg_catalog.oid, TG_OP;
    RETURN NULL;
  END $report$;
  DO $install$ DECLARE t pg_catalog.regclass; BEGIN
    FOR t IN SELECT c.oid FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
      WHERE c.relkind IN ('r', 'p') AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
    LOOP
      IF NOT EXISTS (SELECT FROM pg_catalog.pg_trigger g WHERE g.tgrelid = t AND g.tgname = '${observerSchema}') THEN
        EXECUTE pg_catalog.format('CREATE TRIGGER ${observerSchema} BEFORE INSERT OR UPDATE OR DELETE OR TRUNCATE ON %s
          FOR EACH STATEMENT EXECUTE FUNCTION ${observerSchema}.report()', t);
      END IF;
      EXECUTE pg_catalog.format('ALTER TABLE %s ENABLE ALWAYS TRIGGER ${observerSchema}', t);
    END LOOP;
  END $install$`

/** What the server said besides results while a statement ran. */
export interface Messages {
  readonly writes: readonly Write[]
  /** Notices and warnings of the user's own code, and PostgreSQL's. */
  readonly notices: readonly string[]
}

const reported = new RegExp(`^${observerSchema} (\\d+) (INSERT|UPDATE|DELETE|TRUNCATE)$`)
const commands: Readonly<Record<string, WriteCommand>> = {
  INSERT: "insert",
  UPDATE: "update",
  DELETE: "delete",
  TRUNCATE: "truncate",
}

/** Of one statement; after that, the last one. */
const mostNotices = 20

/** Collects the messages of a session; `take` gives those since it was called last. */
export function collectMessages(client: Client): { readonly take: () => Messages; readonly stop: () => void } {
  let writes: Write[] = []
  let notices: string[] = []
  const listen = (notice: { readonly message?: string | undefined }) => {
    const message = notice.message ?? ""
    const [, table, operation = ""] = reported.exec(message) ?? []
    const command = commands[operation]
    if (command === undefined) notices.splice(mostNotices, 1, message)
    else if (!writes.some((each) => each.table === Number(table) && each.command === command))
      writes.push({ table: Number(table), command })
  }
  const { connection } = client
  if (connection instanceof BoundedConnection) connection.dropsNotices = false
  client.on("notice", listen)
  return {
    take: () => {
      const taken = { writes, notices }
      writes = []
      notices = []
      return taken
    },
    stop: () => {
      client.off("notice", listen)
      if (connection instanceof BoundedConnection) connection.dropsNotices = true
    },
  }
}
