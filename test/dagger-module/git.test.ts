import { expect, test } from "vitest"
import { gitPackage } from "../../dagger/src/git.js"

const github = "https://github.com/owner/lockstep.git"

test.each([
  ["https://codeload.github.com/owner/lockstep/tar.gz/0123abc", github, "0123abc"],
  ["github:owner/lockstep#v0.1.0", github, "v0.1.0"],
  ["owner/lockstep", github, "HEAD"],
  ["git+https://git.example.com/tools/lockstep.git#v0.1.0", "https://git.example.com/tools/lockstep.git", "v0.1.0"],
  ["git+https://git.example.com/tools/lockstep#0123abc", "https://git.example.com/tools/lockstep", "0123abc"],
  ["git+ssh://git@github.com/owner/lockstep.git#0123abc", "ssh://git@github.com/owner/lockstep.git", "0123abc"],
  ["https://git.example.com/tools/lockstep.git#main", "https://git.example.com/tools/lockstep.git", "main"],
  ["git://git.example.com/lockstep#main", "git://git.example.com/lockstep", "main"],
])("%s is a repository", (spec, url, ref) => {
  expect(gitPackage(spec)).toEqual({ url, ref })
})

test.each(["0.1.0", "^0.1.0", "latest", "https://registry.example.com/prisma-lockstep/-/prisma-lockstep-0.1.0.tgz"])(
  "%s is none",
  (spec) => expect(gitPackage(spec)).toBeUndefined(),
)
