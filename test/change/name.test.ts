import { expect, test } from "vitest"
import { migrationName, slug } from "../../src/change/migration-file.js"

const now = new Date("2026-05-01T10:20:30.400Z")

test("a name begins with the UTC time", () => {
  expect(migrationName("add orders", [], now)).toBe("20260501102030_add_orders")
})

test("a name is later than every existing one, also where a clock was ahead", () => {
  expect(migrationName("x", ["20260501102030_a"], now)).toBe("20260501102031_x")
  expect(migrationName("x", ["20261231235959_a", "20260101000000_b"], now)).toBe("20270101000000_x")
  expect(migrationName("x", ["99999999999998_a"], now)).toBe("99999999999999_x")
})

test("names without a timestamp do not count", () => {
  expect(migrationName("x", ["zz_init", "01_init"], now)).toBe("20260501102030_x")
})

test.each([
  ["Add Orders!", "add_orders"],
  ["  split/name -- again ", "split_name_again"],
  ["Größe ändern", "große_andern"],
  ["заказы", "заказы"],
])("%j becomes %j", (words, expected) => {
  expect(slug(words)).toBe(expected)
})

test("words without a letter or digit are refused", () => {
  expect(() => slug("../..")).toThrow(expect.objectContaining({ code: "L1414" }))
})
