import { expect, test } from "vitest"
import { undoneBy, undoText } from "../../src/change/undo-file.js"

const text = (undoes: readonly string[]): string =>
  undoText({ undoes, losses: ['the rows of "A"'], conditions: [], byHand: [], sql: "DROP TABLE a;" })

test("a file that undo wrote says what it takes back; no other file does", () => {
  expect(undoneBy(text(["20260101000000_a"]))).toEqual(["20260101000000_a"])
  expect(undoneBy(text(["20260101000000_a", "20260102000000_b c"]))).toEqual(["20260101000000_a", "20260102000000_b c"])
  expect(undoneBy("-- CreateTable\nCREATE TABLE a ();")).toEqual([])
})
