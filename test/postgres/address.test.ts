import { expect, test } from "vitest"
import { atAddress } from "../../src/postgres/address.js"

const url = "postgresql://app:p%23ss@db.internal:6432/shop?schema=sales&sslmode=require"

test("another address takes the place of the URL's host and port, and of nothing else", () => {
  expect(atAddress(url, "database:5432")).toBe(
    "postgresql://app:p%23ss@database:5432/shop?schema=sales&sslmode=require",
  )
})

test("without an address the URL stays as it is", () => {
  expect(atAddress(url, undefined)).toBe(url)
  expect(atAddress(url, "")).toBe(url)
})

test("a unix socket and a port in the parameters give way to the address", () => {
  expect(atAddress("postgresql:///shop?host=/run/postgresql&port=6432", "database:5432")).toBe(
    "postgresql://database:5432/shop",
  )
})

test("an IPv6 address is written in brackets", () => {
  expect(atAddress("postgresql://app@db/shop", "[fd00::7]:5432")).toBe("postgresql://app@[fd00::7]:5432/shop")
})

test.each(["database", "database:", "data base:5432", ":5432"])("%j is not an address", (address) => {
  expect(() => atAddress(url, address)).toThrow(`LOCKSTEP_DATABASE_HOST is ${address}, which is not host:port`)
})
