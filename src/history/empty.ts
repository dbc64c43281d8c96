import { LockstepError } from "../errors.js"

/** That a folder holds no migrations, and why there should be some. */
export const noMigrations = (dir: string, reasons: readonly string[]): LockstepError =>
  new LockstepError("L1106", `there are no migrations in ${dir}`, {
    hint: ["Lockstep looked for folders that hold a migration.sql.", ...reasons].join("\n"),
    state: "nothing was changed.",
    next: "restore the migrations, correct --migrations or migrations.path in prisma.config, or create the first one: lockstep migrate\nif the folder is meant to be empty: --allow-empty",
  })
