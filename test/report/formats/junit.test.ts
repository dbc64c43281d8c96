import { XMLParser, XMLValidator } from "fast-xml-parser"
import { expect, test } from "vitest"
import { asJunit } from "../../../src/report/formats/junit.js"
import { report } from "./example.js"

const parser = new XMLParser({ ignoreAttributes: false, attributeNamePrefix: "", htmlEntities: true })

test("whatever the texts hold, it is XML", () => {
  const xml = asJunit(report)
  expect(XMLValidator.validate(xml)).toBe(true)
  expect(xml).not.toMatch(/[\u0000-\u0008\u000b\u000c\u000e-\u001f]/)
})

test("a test case an item: what failed has its findings, what was skipped the reason", () => {
  const { testsuite } = parser.parse(asJunit(report)).testsuites
  expect(testsuite).toMatchObject({ name: "lockstep check", tests: "4", failures: "1", skipped: "1", time: "1.5" })
  const [passed, failed, warned, skipped] = testsuite.testcase
  expect(passed).toEqual({ classname: "lockstep.check", name: "history/order", time: "0.012" })
  expect(failed.failure).toMatchObject({ type: "lock/scans", message: 'a title, with: commas & "quotes"' })
  expect(failed.failure["#text"]).toContain('100 % of <b>"Order"</b> ]]> is read by @map')
  expect(warned["system-out"]).toContain("x is a bad name.")
  expect(skipped.skipped.message).toBe("no database: set DATABASE_URL")
})
