import { execa } from "execa"
import { expect, test } from "vitest"
import { repository } from "../support/cli.js"

test("where stdout and stderr are one, what was said before the answer stands before it", async () => {
  const speak = "node_modules/.bin/jiti test/cli/speaker.ts 2>&1"
  const { stdout } = await execa("sh", ["-c", speak], { cwd: repository })
  expect(stdout.split("\n")).toEqual(["first", "second", "the answer", "afterwards"])
})
