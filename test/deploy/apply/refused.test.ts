import { describe, expect, test } from "vitest"
import { lockstep } from "../../support/in-process.js"
import { createDatabase, type TestDatabase } from "../../support/postgres.js"
import { createProject, type TestProject } from "../../support/project.js"

const deploy = ({ root }: TestProject, { url }: TestDatabase, ...args: string[]) =>
  lockstep(["deploy", ...args], { cwd: root, url })

const counter = { "20260101000000_init": "CREATE TABLE counter (n int);\nINSERT INTO counter VALUES (0);" }

const count = async ({ query }: TestDatabase) => (await query("SELECT n FROM counter"))[0]?.n

const swallowing = {
  "a trigger that returns NULL": {
    sql: `CREATE FUNCTION swallow() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$;
      CREATE TRIGGER no_rows BEFORE INSERT ON _prisma_migrations FOR EACH ROW EXECUTE FUNCTION swallow();`,
    named: "the trigger no_rows",
  },
  "a rule": {
    sql: "CREATE RULE no_rows AS ON INSERT TO _prisma_migrations DO INSTEAD NOTHING;",
    named: "the rule no_rows",
  },
}

describe.each(Object.entries(swallowing))("a history that loses its rows to %s", (_, { sql, named }) => {
  test.each([
    ["transactional", "UPDATE counter SET n = n + 1;"],
    ["with a statement outside of a transaction", "UPDATE counter SET n = n + 1;\nVACUUM counter;"],
  ])("a migration %s is not applied, not tried again, and the cause is named", async (_, migration) => {
    const database = await createDatabase()
    const project = createProject({ migrations: counter })
    await deploy(project, database)
    await database.query(sql)
    project.migration("20260102000000_count", migration)
    const failed = await deploy(project, database, "--retries", "5")
    expect(failed, failed.all).toMatchObject({ exitCode: 1 })
    expect(failed.stderr).toContain("error[L1018]: the history table does not keep the row of 20260102000000_count")
    expect(failed.stderr).toContain(named)
    expect(failed.stderr).toContain("state:  nothing of this migration was applied or recorded")
    expect(failed.stderr).not.toContain("retry")
    expect(await count(database)).toBe(0)
  })
})

test("row-level security that hides the rows: nothing is applied, and the policy is named", async () => {
  const database = await createDatabase()
  const role = `guest_${database.name}`
  await database.query(`CREATE ROLE ${role} LOGIN; GRANT ALL ON SCHEMA public TO ${role}`)
  const url = new URL(database.url)
  url.username = role
  const guest = { ...database, url: url.href }
  const project = createProject({ migrations: counter })
  try {
    await deploy(project, database)
    await database.query(`GRANT ALL ON ALL TABLES IN SCHEMA public TO ${role};
      ALTER TABLE _prisma_migrations ENABLE ROW LEVEL SECURITY;
      CREATE POLICY only_in ON _prisma_migrations FOR INSERT WITH CHECK (true);`)
    project.remove("prisma/migrations/20260101000000_init")
    project.migration("20260102000000_count", "UPDATE counter SET n = n + 1;")
    for (let again = 0; again < 2; again++) {
      const failed = await deploy(project, guest)
      expect(failed, failed.all).toMatchObject({ exitCode: 1 })
      expect(failed.stderr).toContain("error[L1110]: row-level security may hide rows")
      expect(failed.stderr).toContain("Its policies: only_in.")
    }
    expect(await count(database)).toBe(0)
  } finally {
    await database.query(`DROP OWNED BY ${role}; DROP ROLE ${role}`)
  }
})
