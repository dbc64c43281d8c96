import { expect, test } from "vitest"
import { imageConfig, webAddress } from "../../src/image/image.js"

test.each([
  ["https://github.com/acme/shop.git", "https://github.com/acme/shop"],
  ["https://build:t0ken@git.acme.dev/shop.git", "https://git.acme.dev/shop"],
  ["https://git.acme.dev/shop?private_token=t0ken", "https://git.acme.dev/shop"],
  ["git@github.com:acme/shop.git", "https://github.com/acme/shop"],
  ["git+ssh://git@github.com/acme/shop.git", "https://github.com/acme/shop"],
  ["git+https://github.com/acme/shop.git", "https://github.com/acme/shop"],
  ["github:acme/shop", "https://github.com/acme/shop"],
  ["acme/shop", "https://github.com/acme/shop"],
  ["/srv/git/shop.git", undefined],
  ["file:///srv/git/shop.git", undefined],
  ["../shop", undefined],
  [undefined, undefined],
])("the repository %s is shown as %s", (address, shown) => {
  expect(webAddress(address)).toBe(shown)
})

test("PostgreSQL's client programs are named as the base image's package manager knows them, where they are asked for", () => {
  expect(imageConfig(["10-runner"], "18").systemPackages).toEqual({
    alpine: ["postgresql18-client"],
    debian: ["postgresql-client-18"],
  })
  expect(imageConfig(["10-runner"], undefined)).not.toHaveProperty("systemPackages")
})
