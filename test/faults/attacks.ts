import type { ErrorCode } from "../../src/errors.js"

/** Migrations that try to be applied twice, lost, or reported as what they are not, and how each has to end. */
export interface Attack {
  readonly name: string
  /**
   * The files, in order, after one that makes the table `ran`. Each notes that it ran, with `{{ran}}`; `{{db}}` is the
   * database's name, for what the whole server shares.
   */
  readonly migrations: readonly string[]
  /** What somebody does to the database after the first of them; the others are deployed then. */
  readonly around?: string
  /** What the names of the files end in. */
  readonly suffix?: string
  /** The role that deploys: a superuser, or the owner of the schema, without rights of the server's. */
  readonly as?: "owner"
  /** How many deploy at once; one where absent. */
  readonly deployers?: number
  readonly end: End
  /** What must be true afterwards: a boolean in SQL. */
  readonly holds?: string
  /** Removes what the attack leaves to the whole server. */
  readonly after?: string
}

/** `ran`: the number of the file for each time that one ran, where not simply all of those applied did once. */
export type End =
  | { readonly end: "applied once"; readonly ran?: string }
  | {
      readonly end: "refused"
      readonly code: ErrorCode
      /** The number of the file, from 1: those before it are applied. */
      readonly file: number
      readonly ran?: string
      /** What the message says of the database. */
      readonly state: RegExp
      /** What ran after the same deploy again, where the file itself has it go on. */
      readonly again?: string
    }

const once: End = { end: "applied once" }
const refused = (
  code: ErrorCode,
  file: number,
  state: RegExp = nothing,
  ran?: string,
): Extract<End, { end: "refused" }> => ({
  ...{ end: "refused" as const, code, file, state },
  ...(ran === undefined ? {} : { ran }),
})
const nothing = /nothing (of this migration )?was (applied or recorded|touched)/
const partly = /statement \d+ of \d+ of .* failed, .*the history holds the failed row/

const mine = "migration_name = '20260102000001_attack'"
const deep = `SELECT ${Array(60_000).fill("1").join("+")}`
const swallow = (what: string) =>
  `CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN ${what} END $$;`
const onHistory = "ON _prisma_migrations FOR EACH ROW EXECUTE FUNCTION swallow();"
const row = (name: string) =>
  `INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at, applied_steps_count)
   VALUES (md5('${name}'), md5('${name}'), '${name}', now(), 1);`

const enums: readonly Attack[] = [
  {
    name: "an enum value that the file adds to its own type and uses, which only PostgreSQL 17 takes in one transaction",
    migrations: [
      "CREATE TYPE mood AS ENUM ('good'); ALTER TYPE mood ADD VALUE 'bad'; {{ran}} SELECT 'bad'::mood;",
      "{{ran}}",
    ],
    end: once,
  },
]

const lock: readonly Attack[] = [
  ...["DISCARD ALL;", "SELECT pg_advisory_unlock_all();", "SELECT pg_advisory_unlock(72707369);"].flatMap((sql) =>
    [1, 2].map((deployers) => ({
      name: `${sql} with ${deployers === 1 ? "one deployer" : "two"}`,
      migrations: [sql, `-- ${"x".repeat(70_000)}\nSELECT pg_sleep(0.4); {{ran}}`, "{{ran}}"],
      deployers,
      end: once,
    })),
  ),
  {
    name: "the lock dropped in the same file, between two statements",
    migrations: ["SELECT pg_advisory_unlock_all(); SELECT pg_sleep(0.4); {{ran}}", "{{ran}}"],
    deployers: 2,
    end: once,
  },
  {
    name: "the lock dropped in a file that is applied statement by statement",
    migrations: ["{{ran}} VACUUM ran; SELECT pg_advisory_unlock_all(); {{ran}} VACUUM ran; {{ran}}", "{{ran}}"],
    end: { end: "applied once", ran: "1112" },
  },
  {
    name: "the lock taken once more, for the transaction and for the session",
    migrations: ["SELECT pg_advisory_xact_lock(72707369), pg_advisory_lock(72707369); {{ran}}", "{{ran}}"],
    deployers: 2,
    end: once,
  },
]

/** The first deployer is slow after it has dropped the lock, the second one is not. */
const slowOnce = "SELECT pg_advisory_unlock_all(); SELECT pg_sleep(CASE nextval('turns') WHEN 1 THEN 2 ELSE 0 END);"

const blind: readonly Attack[] = ["REPEATABLE READ", "SERIALIZABLE"].map((level) => ({
  name: `the lock dropped under ${level}, which does not show the other deployer's row`,
  migrations: [
    "CREATE SEQUENCE turns; {{ran}}",
    `SET TRANSACTION ISOLATION LEVEL ${level}; ${slowOnce} {{ran}}`,
    "{{ran}}",
  ],
  deployers: 2,
  end: refused("L1016", 2, /nothing was touched|2 migrations were applied by this deploy/),
}))

const session: readonly Attack[] = [
  {
    name: "a temporary table that hides one",
    migrations: [
      "CREATE TEMP TABLE ran (file text); {{ran}}",
      "INSERT INTO ran VALUES ('2'); ALTER TABLE ran ADD COLUMN more int;",
    ],
    end: { end: "applied once", ran: "12" },
    holds: "(SELECT count(*) FROM information_schema.columns WHERE table_name = 'ran' AND column_name = 'more') = 1",
  },
  {
    name: "a temporary history table",
    migrations: ["CREATE TEMP TABLE _prisma_migrations (LIKE public._prisma_migrations); {{ran}}", "{{ran}}"],
    end: once,
  },
  {
    name: "a temporary history table in a file that is applied statement by statement",
    migrations: ["CREATE TEMP TABLE _prisma_migrations (n int); VACUUM public.ran; {{ran}}", "{{ran}}"],
    end: once,
  },
  {
    name: "a search path with functions of PostgreSQL's names before PostgreSQL's",
    migrations: [
      `CREATE SCHEMA evil;
       CREATE FUNCTION evil.now() RETURNS timestamptz LANGUAGE sql AS $$ SELECT '2001-01-01'::timestamptz $$;
       CREATE FUNCTION evil.clock_timestamp() RETURNS timestamptz LANGUAGE sql AS $$ SELECT '2002-01-01'::timestamptz $$;
       CREATE FUNCTION evil.pg_backend_pid() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$;
       CREATE FUNCTION evil.pg_try_advisory_lock(bigint) RETURNS boolean LANGUAGE sql AS $$ SELECT true $$;
       CREATE FUNCTION evil.current_setting(text) RETURNS text LANGUAGE sql AS $$ SELECT 'evil' $$;
       CREATE TABLE evil.ran (file text); CREATE TABLE evil._prisma_migrations (LIKE public._prisma_migrations);
       SET search_path = evil, pg_catalog; {{ran}}`,
      "{{ran}} SET search_path = evil, pg_catalog; VACUUM public.ran; {{ran}}",
      "INSERT INTO ran VALUES ('3');",
    ],
    end: { end: "applied once", ran: "1223" },
    holds:
      "(SELECT bool_and(started_at > now() - interval '1 day' AND finished_at >= started_at) FROM _prisma_migrations)",
  },
  {
    name: "functions of PostgreSQL's names in the schema itself",
    migrations: [
      `CREATE FUNCTION public.now() RETURNS timestamptz LANGUAGE sql AS $$ SELECT '2001-01-01'::timestamptz $$;
       CREATE FUNCTION public.round(double precision) RETURNS numeric LANGUAGE sql AS $$ SELECT -1::numeric $$;
       CREATE FUNCTION public.json_agg(json) RETURNS json LANGUAGE sql AS $$ SELECT '[]'::json $$;
       CREATE FUNCTION public.to_char(timestamp, text) RETURNS text LANGUAGE sql AS $$ SELECT 'evil' $$; {{ran}}`,
      "{{ran}}",
      "VACUUM ran; {{ran}}",
    ],
    end: once,
  },
  {
    name: "an operator for the history's own columns that is never true",
    migrations: [
      `CREATE FUNCTION never(varchar, varchar) RETURNS boolean LANGUAGE sql AS $$ SELECT false $$;
       CREATE OPERATOR public.= (LEFTARG = varchar, RIGHTARG = varchar, FUNCTION = never); {{ran}}`,
    ],
    end: refused("L1018", 1),
  },
  {
    name: "another role, and another session's user",
    migrations: [
      `DO $$ BEGIN EXECUTE format('CREATE ROLE %I', current_database() || '_weak'); END $$;
       SELECT set_config('role', current_database() || '_weak', false);`,
      "SELECT set_config('session_authorization', current_database() || '_weak', false);",
      "VACUUM ran; SELECT set_config('role', current_database() || '_weak', false); SELECT 1;",
      "{{ran}}",
    ],
    end: { end: "applied once", ran: "4" },
    after: "DROP OWNED BY {{db}}_weak; DROP ROLE {{db}}_weak",
  },
  {
    name: "prepared statements, cursors that stay open, channels that are listened to, sequences' last values",
    migrations: [
      `CREATE SEQUENCE numbers; SELECT nextval('numbers');
       PREPARE p AS SELECT 1; DECLARE c CURSOR WITH HOLD FOR SELECT 1; LISTEN here; {{ran}}`,
      `PREPARE p AS SELECT 2; DECLARE c CURSOR WITH HOLD FOR SELECT 2; {{ran}}
       DO $$ BEGIN ASSERT NOT EXISTS (SELECT FROM pg_listening_channels()); END $$;`,
      "VACUUM ran; PREPARE p AS SELECT 3; DECLARE c CURSOR WITH HOLD FOR SELECT 3; LISTEN there; {{ran}}",
      `DO $$ BEGIN
         ASSERT NOT EXISTS (SELECT FROM pg_listening_channels()); ASSERT NOT EXISTS (SELECT FROM pg_cursors);
         ASSERT NOT EXISTS (SELECT FROM pg_prepared_statements);
         PERFORM lastval(); RAISE 'lastval is known';
       EXCEPTION WHEN object_not_in_prerequisite_state THEN NULL; END $$; {{ran}}`,
    ],
    end: once,
  },
  ...[
    "SET default_transaction_read_only = on",
    "SET statement_timeout = 1",
    "SET lock_timeout = 1",
    "SET idle_in_transaction_session_timeout = 1",
    "SET default_transaction_isolation = serializable",
    "SET default_transaction_deferrable = on",
    "SET standard_conforming_strings = off",
    "SET client_encoding = 'LATIN1'",
    "SET DateStyle = 'German, DMY'; SET TimeZone = 'Pacific/Apia'; SET IntervalStyle = 'sql_standard'",
    "SET row_security = off; SET check_function_bodies = off; SET xmloption = document",
    "SET session_replication_role = replica",
    "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY, ISOLATION LEVEL REPEATABLE READ",
    "SELECT set_config('search_path', '', false)",
    "SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off; SET jit = on; SET jit_above_cost = 0",
  ].map((sql) => ({
    name: sql,
    migrations: [
      `{{ran}} ${sql};`,
      "INSERT INTO ran VALUES ('2'); DO $$ BEGIN ASSERT length('é') = 1; ASSERT length('\\') = 1; END $$;",
      `VACUUM ran; ${sql};`,
      "INSERT INTO ran VALUES ('4'); DO $$ BEGIN ASSERT length('é') = 1; ASSERT length('\\') = 1; END $$;",
    ],
    end: { end: "applied once", ran: "124" } as const,
    holds:
      "(SELECT bool_and(started_at > now() - interval '1 day' AND finished_at >= started_at) FROM _prisma_migrations)",
  })),
  {
    name: "client_encoding between the statements of one file",
    migrations: [
      "VACUUM ran; SET client_encoding = 'LATIN1'; {{ran}} CREATE TABLE word (text text); INSERT INTO word VALUES ('é€');",
    ],
    end: once,
    holds: "(SELECT length(text) FROM word) = 2",
  },
  {
    name: "standard_conforming_strings between the statements of one file, so that a string ends elsewhere",
    migrations: [
      "{{ran}} VACUUM ran; SET standard_conforming_strings = off; SELECT 'x\\', '; INSERT INTO ran SELECT 8; COMMIT; SELECT 1/0; --'; {{ran}}",
    ],
    end: { end: "applied once", ran: "11" },
  },
  {
    name: "standard_conforming_strings off for the database, and a name with a backslash and a quote",
    around: "ALTER DATABASE {{db}} SET standard_conforming_strings = off",
    migrations: ["{{ran}}", "{{ran}} INSERT INTO ran SELECT 'it\\'s' WHERE false;"],
    end: once,
  },
  {
    name: "standard_conforming_strings off for the database, and a COMMIT that a string seems to hold",
    around: "ALTER DATABASE {{db}} SET standard_conforming_strings = off",
    migrations: ["{{ran}}", "{{ran}} SELECT 'x\\', '; COMMIT; SELECT 1/0; --';"],
    end: refused("L1024", 2),
  },
  {
    name: "settings of the database's own",
    around: `ALTER DATABASE {{db}} SET default_transaction_isolation = serializable; ALTER DATABASE {{db}} SET lock_timeout = 1;
      ALTER DATABASE {{db}} SET DateStyle = 'German'; ALTER DATABASE {{db}} SET search_path = nowhere;
      ALTER DATABASE {{db}} SET client_encoding = LATIN1; ALTER DATABASE {{db}} SET bytea_output = escape`,
    migrations: ["{{ran}}", "{{ran}} DO $$ BEGIN ASSERT length('é') = 1; END $$;", "VACUUM ran; {{ran}}"],
    end: once,
  },
]

const transactions: readonly Attack[] = [
  ...["COMMIT", "ROLLBACK", "END", "ABORT", "COMMIT AND CHAIN", "PREPARE TRANSACTION '{{db}}'"].map((sql) => ({
    name: `${sql} without a BEGIN`,
    migrations: ["{{ran}}", `{{ran}} ${sql}; SELECT 1/0;`],
    end: refused("L1019", 2, nothing, ""),
  })),
  ...["BEGIN", "START TRANSACTION READ WRITE", "BEGIN; COMMIT AND CHAIN"].map((sql) => ({
    name: `${sql} without an end`,
    migrations: ["{{ran}}", `{{ran}} ${sql}; {{ran}}`],
    end: refused("L1019", 2, nothing, ""),
  })),
  {
    name: "a BEGIN in a transaction",
    migrations: ["BEGIN; {{ran}} BEGIN; COMMIT;", "{{ran}}"],
    end: once,
  },
  {
    name: "transactions of the file's own, one of which is rolled back",
    migrations: ["BEGIN; {{ran}} ROLLBACK; BEGIN; {{ran}} COMMIT AND CHAIN; {{ran}} ROLLBACK;", "{{ran}}"],
    end: once,
  },
  {
    name: "a transaction of the file's own that fails after another was committed",
    migrations: ["BEGIN; {{ran}} COMMIT; BEGIN; {{ran}} SELECT 1/0; COMMIT;"],
    end: refused("L1015", 1, partly, "1"),
  },
  {
    name: "a transaction that is prepared, and committed by the next file",
    migrations: ["BEGIN; {{ran}} PREPARE TRANSACTION '{{db}}';", "COMMIT PREPARED '{{db}}';", "{{ran}}"],
    end: { end: "applied once", ran: "13" },
  },
  {
    name: "savepoints, one of which is left open",
    migrations: ["SAVEPOINT a; {{ran}} ROLLBACK TO a; {{ran}} SAVEPOINT b; SAVEPOINT a;", "{{ran}}"],
    end: once,
  },
  ...["ROLLBACK TO nowhere", "RELEASE nowhere", "SAVEPOINT a; RELEASE a; ROLLBACK TO a"].map((sql) => ({
    name: sql,
    migrations: ["{{ran}}", `{{ran}} ${sql};`],
    end: refused("L1012", 2),
  })),
  {
    name: "an isolation level for the file's transaction, as its first statement",
    migrations: [
      "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; {{ran}}",
      "BEGIN ISOLATION LEVEL SERIALIZABLE; {{ran}} COMMIT;",
      "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, DEFERRABLE; {{ran}}",
    ],
    end: once,
  },
  {
    name: "a transaction that is read-only, whose row cannot be written",
    migrations: ["{{ran}}", "SET TRANSACTION READ ONLY; SELECT 1;"],
    end: refused("L1012", 2),
  },
  {
    name: "a constraint that fails at COMMIT",
    migrations: [
      "CREATE TABLE own (id int PRIMARY KEY, up int REFERENCES own DEFERRABLE INITIALLY DEFERRED); {{ran}}",
      "{{ran}} INSERT INTO own VALUES (1, 2);",
    ],
    end: refused("L1012", 2),
  },
  {
    name: "a DO block that commits and then fails",
    migrations: ["DO $$ BEGIN {{ran}} COMMIT; {{ran}} RAISE 'no'; END $$;"],
    end: refused("L1015", 1, partly, "1"),
  },
  {
    name: "a procedure of an earlier file that commits",
    migrations: [
      "CREATE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.ran VALUES ('p'); COMMIT; END $$;",
      "CREATE PROCEDURE q() LANGUAGE plpgsql AS $$ BEGIN CALL p(); END $$; {{ran}}",
      "{{ran}} CALL p(); {{ran}} CALL q(); {{ran}}",
      "{{ran}}",
    ],
    end: { end: "applied once", ran: "23334pp" },
  },
  {
    name: "a procedure of an earlier file that commits, and a failure after it",
    migrations: [
      "CREATE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.ran VALUES ('p'); COMMIT; END $$; {{ran}}",
      "{{ran}} CALL p(); SELECT 1/0;",
    ],
    end: refused("L1015", 2, partly, "12p"),
  },
  {
    name: "a procedure that commits a part and then fails",
    migrations: [
      "CREATE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN INSERT INTO public.ran VALUES ('p'); COMMIT; RAISE 'no'; END $$; {{ran}}",
      "CALL p();",
    ],
    end: refused("L1015", 2, partly, "1p"),
  },
  {
    name: "a COMMIT in a string that is executed",
    migrations: ["{{ran}}", "{{ran}} DO $$ BEGIN EXECUTE 'COMMIT'; END $$;"],
    end: refused("L1012", 2),
  },
]

const history: readonly Attack[] = [
  {
    name: "a trigger that swallows the row",
    around: `${swallow("RETURN NULL;")} CREATE TRIGGER s BEFORE INSERT ${onHistory}`,
    migrations: ["{{ran}}", "{{ran}}"],
    end: refused("L1018", 2),
  },
  {
    name: "a trigger that swallows the row, made by an earlier file of the same deploy",
    migrations: [
      `{{ran}} ${swallow("RETURN NULL;")}`,
      `CREATE TRIGGER s BEFORE INSERT ${onHistory} ALTER TABLE _prisma_migrations DISABLE TRIGGER s; {{ran}}`,
      "ALTER TABLE _prisma_migrations ENABLE TRIGGER s; {{ran}}",
    ],
    end: refused("L1018", 3),
  },
  {
    name: "a trigger that swallows the row, and a file that is applied statement by statement",
    around: `${swallow("RETURN NULL;")} CREATE TRIGGER s BEFORE INSERT ${onHistory}`,
    migrations: ["{{ran}}", "{{ran}} VACUUM ran; {{ran}}"],
    end: refused("L1018", 2),
  },
  ...[
    "NEW.finished_at := NULL",
    "NEW.migration_name := 'another'",
    "NEW.rolled_back_at := now()",
    "NEW.id := 'another'",
  ].map((sql) => ({
    name: `a trigger that writes another row: ${sql}`,
    around: `${swallow(`${sql}; RETURN NEW;`)} CREATE TRIGGER s BEFORE INSERT ${onHistory}`,
    migrations: ["{{ran}}", "{{ran}}"],
    end: refused("L1018", 2),
  })),
  {
    name: "a trigger that deletes the row",
    around: `${swallow("DELETE FROM _prisma_migrations WHERE id = NEW.id; RETURN NULL;")} CREATE TRIGGER s AFTER INSERT ${onHistory}`,
    migrations: ["{{ran}}", "{{ran}}"],
    end: refused("L1018", 2),
  },
  {
    name: "a trigger that deletes the row at COMMIT",
    around: `${swallow("DELETE FROM _prisma_migrations WHERE id = NEW.id; RETURN NULL;")}
      CREATE CONSTRAINT TRIGGER s AFTER INSERT ON _prisma_migrations DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION swallow()`,
    migrations: ["{{ran}}", "{{ran}}"],
    end: refused("L1018", 2),
  },
  {
    name: "a trigger that keeps the count of statements from growing",
    around: `${swallow("RETURN NULL;")} CREATE TRIGGER s BEFORE UPDATE ${onHistory}`,
    migrations: ["{{ran}}", "{{ran}} VACUUM ran; {{ran}}"],
    end: refused("L1018", 2, /0 of 3 statements/),
  },
  ...["DO INSTEAD NOTHING", "DO ALSO DELETE FROM _prisma_migrations WHERE id = NEW.id"].map((what) => ({
    name: `a rule on the history: ${what}`,
    around: `CREATE RULE r AS ON INSERT TO _prisma_migrations ${what}`,
    migrations: ["{{ran}}", "{{ran}}"],
    end: refused("L1018", 2),
  })),
  {
    name: "a rule that keeps the count of statements from growing",
    around: "CREATE RULE r AS ON UPDATE TO _prisma_migrations DO INSTEAD NOTHING",
    migrations: ["{{ran}}", "{{ran}} VACUUM ran; {{ran}}"],
    end: refused("L1018", 2, /0 of 3 statements/),
  },
  {
    name: "row-level security that lets rows in and shows none",
    as: "owner",
    around: `ALTER TABLE _prisma_migrations ENABLE ROW LEVEL SECURITY; ALTER TABLE _prisma_migrations FORCE ROW LEVEL SECURITY;
      CREATE POLICY p ON _prisma_migrations FOR INSERT WITH CHECK (true)`,
    migrations: ["{{ran}}", "{{ran}}"],
    end: refused("L1110", 2, nothing),
  },
  ...["migration_name NOT LIKE '%1_attack' OR started_at > clock_timestamp() - interval '1 s'", "id <> ''"].map(
    (sql) => ({
      name: `row-level security with a condition, which may hide a row: ${sql.slice(0, 30)}`,
      as: "owner" as const,
      around: `ALTER TABLE _prisma_migrations ENABLE ROW LEVEL SECURITY; ALTER TABLE _prisma_migrations FORCE ROW LEVEL SECURITY;
      CREATE POLICY p ON _prisma_migrations USING (${sql}) WITH CHECK (true)`,
      migrations: ["{{ran}}", "{{ran}}"],
      end: refused("L1110", 2),
    }),
  ),
  {
    name: "row-level security that shows all, to this role and another",
    as: "owner",
    around: `ALTER TABLE _prisma_migrations ENABLE ROW LEVEL SECURITY; ALTER TABLE _prisma_migrations FORCE ROW LEVEL SECURITY;
      CREATE POLICY p ON _prisma_migrations TO {{db}}_owner, pg_monitor USING (true); CREATE POLICY q ON _prisma_migrations FOR SELECT USING (false)`,
    migrations: ["{{ran}}", "{{ran}}"],
    end: once,
  },
  {
    name: "row-level security whose restrictive policy takes away what another one shows",
    as: "owner",
    around: `ALTER TABLE _prisma_migrations ENABLE ROW LEVEL SECURITY; ALTER TABLE _prisma_migrations FORCE ROW LEVEL SECURITY;
      CREATE POLICY p ON _prisma_migrations USING (true); CREATE POLICY q ON _prisma_migrations AS RESTRICTIVE USING (id <> '')`,
    migrations: ["{{ran}}", "{{ran}}"],
    end: refused("L1110", 2),
  },
  {
    name: "row-level security that lets nothing in",
    as: "owner",
    around: `ALTER TABLE _prisma_migrations ENABLE ROW LEVEL SECURITY; ALTER TABLE _prisma_migrations FORCE ROW LEVEL SECURITY;
      CREATE POLICY p ON _prisma_migrations FOR SELECT USING (true)`,
    migrations: ["{{ran}}", "{{ran}}"],
    end: refused("L1012", 2),
  },
  ...[
    "DROP TABLE _prisma_migrations",
    "ALTER TABLE _prisma_migrations RENAME TO elsewhere",
    "ALTER TABLE _prisma_migrations ADD COLUMN more int NOT NULL DEFAULT 1; ALTER TABLE _prisma_migrations ALTER more DROP DEFAULT",
    "ALTER TABLE _prisma_migrations DROP COLUMN applied_steps_count",
    `ALTER TABLE _prisma_migrations ADD CHECK (NOT ${mine})`,
    "ALTER SCHEMA public RENAME TO elsewhere",
  ].map((sql) => ({
    name: `a file with ${sql.slice(0, 70)}`,
    migrations: ["{{ran}} SELECT 1;", `{{ran}} ${sql};`],
    end: refused("L1012", 2),
  })),
  {
    name: "a file that empties the schema of everything, the history too",
    migrations: ["{{ran}}", "{{ran}} DROP SCHEMA public CASCADE; CREATE SCHEMA public;"],
    end: refused("L1012", 2),
  },
  {
    name: "the history behind a view",
    migrations: [
      `ALTER TABLE _prisma_migrations RENAME TO rows; CREATE VIEW _prisma_migrations AS SELECT * FROM rows; {{ran}}`,
      "{{ran}}",
    ],
    end: once,
  },
  {
    name: "the history behind a view that shows nothing",
    migrations: [
      "{{ran}}",
      `ALTER TABLE _prisma_migrations RENAME TO rows; CREATE VIEW _prisma_migrations AS SELECT * FROM rows WHERE false; {{ran}}`,
    ],
    end: refused("L1018", 2),
  },
  {
    name: "a file that records itself",
    migrations: ["{{ran}}", `${row("20260102000002_attack")} {{ran}}`],
    end: refused(
      "L1018",
      2,
      /^ {2}state: {2}2 migrations were applied by this deploy, the last one is 20260102000001_attack\.$/m,
    ),
  },
  {
    name: "a file that records the next one",
    migrations: [`{{ran}} ${row("20260102000002_attack")}`, "{{ran}}", "{{ran}}"],
    end: { end: "applied once", ran: "13" },
  },
  {
    name: "a file that takes an earlier one out of the history",
    migrations: ["{{ran}}", `DELETE FROM _prisma_migrations WHERE ${mine}; {{ran}}`, "{{ran}}"],
    end: { ...refused("L1030", 1, /4 migrations were applied by this deploy/, "123"), again: "1123" },
  },
  {
    name: "a file that takes the right to write the history away",
    as: "owner",
    migrations: ["{{ran}}", "REVOKE ALL ON _prisma_migrations FROM current_user; {{ran}}"],
    end: refused("L1012", 2),
  },
  {
    name: "an event trigger that refuses every change after it",
    migrations: [
      `CREATE FUNCTION no() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'no'; END $$; {{ran}}`,
      "{{ran}} CREATE EVENT TRIGGER no ON ddl_command_start EXECUTE FUNCTION no();",
      "{{ran}} CREATE TABLE more (n int);",
    ],
    end: refused("L1012", 3),
  },
]

const sessions: readonly Attack[] = [
  {
    name: "a file that ends its own session",
    migrations: ["{{ran}}", "{{ran}} SELECT pg_terminate_backend(pg_backend_pid()), pg_sleep(5);"],
    end: refused("L1016", 2, /./),
  },
  {
    name: "a file that cancels itself",
    migrations: ["{{ran}}", "{{ran}} SELECT pg_cancel_backend(pg_backend_pid()), pg_sleep(5);"],
    end: refused("L1012", 2),
  },
  {
    name: "a file that ends all other sessions of the database",
    migrations: [
      "{{ran}} SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid(); SELECT pg_sleep(0.4);",
      "{{ran}}",
    ],
    deployers: 3,
    end: once,
  },
  {
    name: "a file that runs into its own statement_timeout",
    migrations: ["{{ran}}", "{{ran}} SET statement_timeout = 50; SELECT pg_sleep(5);"],
    end: refused("L1012", 2),
  },
  {
    name: "a file that waits for a lock that nobody gives, with retries",
    migrations: ["{{ran}}", "{{ran}} DO $$ BEGIN RAISE 'no lock' USING ERRCODE = '55P03'; END $$;"],
    end: refused("L1014", 2),
  },
  {
    name: "the words of our own checks",
    migrations: ["{{ran}}", "{{ran}} SELECT 'lockstep: this session does not hold the migration lock'::int;"],
    end: refused(
      "L1016",
      2,
      /^ {2}state: {2}2 migrations were applied by this deploy, the last one is 20260102000001_attack\.$/m,
    ),
  },
  {
    name: "our own check's column",
    migrations: ["SELECT 5 AS lockstep_duration_ms; {{ran}}", "SELECT 'x' AS lockstep_duration_ms; {{ran}}"],
    end: once,
  },
]

const texts: readonly Attack[] = [
  ...["it's; DROP TABLE ran; --", "x\\'); DROP TABLE ran; --", "$lockstep$ $1 %s *", "x\u001b[31m\n"].map((suffix) => ({
    name: `files whose names end in ${JSON.stringify(suffix)}`,
    suffix,
    around: "ALTER DATABASE {{db}} SET standard_conforming_strings = off",
    migrations: ["{{ran}}", "{{ran}}", "{{ran}} VACUUM ran;", `-- ${"x".repeat(70_000)}\n{{ran}}`],
    end: once,
  })),
  ...["/* the end", "SELECT 'the end", "SELECT $$ the end", 'SELECT "the end', "SELECT U&'\\", deep].map((sql) => ({
    name: `a file that cannot be parsed: ${sql.slice(0, 20)}`,
    migrations: ["{{ran}}", `{{ran}} ${sql}`],
    end: refused("L1012", 2),
  })),
  {
    name: "a file that cannot be parsed, with COMMIT inside",
    migrations: ["{{ran}}", `{{ran}} COMMIT; ${deep};`],
    end: refused("L1024", 2),
  },
  {
    name: "a comment at the end without an end of line",
    migrations: ["{{ran}} -- the end", "{{ran}} /* the end */"],
    end: once,
  },
  {
    name: "a byte order mark and Windows' ends of lines",
    migrations: ["\ufeff{{ran}}\r\nSELECT 1;\r\n", "\ufeffVACUUM ran;\r\n{{ran}}\r\n"],
    end: once,
  },
  {
    name: "COPY from the client",
    migrations: ["{{ran}}", "{{ran}} COPY ran FROM STDIN;"],
    end: refused("L1013", 2, nothing, ""),
  },
  {
    name: "a command of psql's",
    migrations: ["{{ran}}", "{{ran}}\n\\connect postgres\n"],
    end: refused("L1013", 2, nothing, ""),
  },
]

export const attacks: readonly Attack[] = [
  ...enums,
  ...lock,
  ...blind,
  ...session,
  ...transactions,
  ...history,
  ...sessions,
  ...texts,
]
