import { expect, test } from "vitest"
import { inOneTransaction } from "../../src/change/migration-file.js"

test("a changed enum stands in the migration's own transaction", () => {
  const script = "-- AlterEnum\nBEGIN;\nCREATE TYPE \"A_new\" AS ENUM ('x');\nCOMMIT;\n\n-- AlterTable\nSELECT 1;\n"
  expect(inOneTransaction(script)).toBe(
    "-- AlterEnum\nCREATE TYPE \"A_new\" AS ENUM ('x');\n\n-- AlterTable\nSELECT 1;\n",
  )
})
