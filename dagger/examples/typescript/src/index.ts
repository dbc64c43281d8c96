/** How a module of your own calls Lockstep. */
import { type Directory, dag, func, object, type Secret } from "@dagger.io/dagger"

@object()
export class Examples {
  /**
   * Lists the tables of a database that has every migration: a test's database service.
   * @param source The project.
   */
  @func()
  async lockstepTables(source: Directory): Promise<string> {
    return dag
      .container()
      .from("postgres:18-alpine")
      .withServiceBinding("db", dag.lockstep({ source }).testDb())
      .withExec(["psql", "postgresql://postgres:postgres@db/lockstep", "--command=\\dt"])
      .stdout()
  }

  /**
   * The report of a verification, also of one that failed, for a CI to keep.
   * @param source The project.
   */
  @func()
  lockstepReport(source: Directory): Directory {
    return dag.lockstep({ source }).verify({ evenIfFailed: true })
  }

  /**
   * Publishes the migration image of a project that passes its verification, and returns the references.
   * @param source The project.
   * @param address Where to, such as registry.example.com/shop-migrations:1.0.0.
   * @param username The registry's user.
   * @param password The registry's password or token.
   */
  @func({ cache: "never" })
  async lockstepRelease(source: Directory, address: string, username?: string, password?: Secret): Promise<string[]> {
    const lockstep = dag.lockstep({ source })
    await lockstep.verify().sync()
    return lockstep.publish([address], { username, password })
  }

  /**
   * Applies the pending migrations to a database, once the plan destroys no data.
   * @param source The project.
   * @param databaseUrl The database's URL, such as env://DATABASE_URL.
   */
  @func({ cache: "never" })
  async lockstepDeploy(source: Directory, databaseUrl: Secret): Promise<string> {
    const lockstep = dag.lockstep({ source })
    await lockstep.plan(databaseUrl, { options: ["--fail-on=destroys"] })
    return lockstep.deploy(databaseUrl)
  }
}
