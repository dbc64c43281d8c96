import type { Command } from "../cli/options.js"

/** A verb's line in the help, and how to load it: only the one that was typed is loaded. */
export interface Entry {
  readonly summary: string
  readonly load: () => Promise<{ default: Command }>
}

/** Every verb, in the order of a migration's life. */
export const commands: Readonly<Record<string, Entry>> = {
  init: { summary: "set a project up, or make an example", load: () => import("./init.js") },
  doctor: { summary: "say what would go wrong later", load: () => import("./doctor.js") },
  "test-db": {
    summary: "start, stop or find the project's test PostgreSQL",
    load: () => import("./test-db.js"),
  },
  migrate: {
    summary: "write the next migration from the schema's change",
    load: () => import("./migrate.js"),
  },
  deploy: { summary: "apply the pending migrations", load: () => import("./deploy.js") },
  backfill: { summary: "run data changes in small batches", load: () => import("./backfill.js") },
  plan: { summary: "show what a deploy would lock, rewrite and destroy", load: () => import("./plan.js") },
  rehearse: { summary: "apply what is pending to a scratch database with data", load: () => import("./rehearse.js") },
  check: { summary: "check the history, the schema and what a deploy would do", load: () => import("./check.js") },
  stats: { summary: "print the tables' sizes, to be committed for check", load: () => import("./stats.js") },
  status: { summary: "show what is applied and what is pending", load: () => import("./status.js") },
  fleet: { summary: "show where many databases stand", load: () => import("./fleet.js") },
  report: {
    summary: "write a verification of the Dagger module in other formats",
    load: () => import("./report.js"),
  },
  wait: {
    summary: "wait for the database, or until every migration is applied",
    load: () => import("./wait.js"),
  },
  generate: { summary: "generate Prisma Client", load: () => import("./generate.js") },
  "test-client": {
    summary: "test the generated client on a test database",
    load: () => import("./test-client.js"),
  },
  undo: { summary: "write the migration that reverts a migration", load: () => import("./undo.js") },
  squash: { summary: "put one migration in the place of many", load: () => import("./squash.js") },
  diff: { summary: "compare history, schema and database", load: () => import("./diff.js") },
  resolve: { summary: "mark a failed migration as applied or rolled back", load: () => import("./resolve.js") },
  baseline: {
    summary: "record the migrations as applied in an existing database",
    load: () => import("./baseline.js"),
  },
  reset: { summary: "empty the database, apply everything, seed", load: () => import("./reset.js") },
  push: {
    summary: "match the database to the schema without a migration (legacy)",
    load: () => import("./push.js"),
  },
  backup: { summary: "back the database up into a file", load: () => import("./backup.js") },
  restore: { summary: "restore a backup", load: () => import("./restore.js") },
  kubernetes: {
    summary: "print the init container and its Helm values",
    load: () => import("./kubernetes.js"),
  },
  image: { summary: "write the parts of the migration image", load: () => import("./image.js") },
}
