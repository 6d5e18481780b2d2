import { chmodSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "@jest/globals";
import { unpackDebianRedis } from "../../scripts/stores/debian-package.ts";

// A stand-in for apt-get on PATH: what apt would say is known, the network of the day is not.
let dir: string;
const { PATH } = process.env;

beforeEach(() => {
  dir = mkdtempSync(path.join(tmpdir(), "postwell-apt-"));
  mkdirSync(path.join(dir, "bin"));
  mkdirSync(path.join(dir, "cache"));
  process.env["PATH"] = `${path.join(dir, "bin")}${path.delimiter}${PATH}`;
});

afterEach(() => {
  process.env["PATH"] = PATH;
  rmSync(dir, { recursive: true, force: true });
});

// Elsewhere apt is never asked, whatever is on PATH, so there is nothing to test; the closing lines of the run name it.
const describeOnDebian = existsSync("/etc/debian_version") ? describe : describe.skip;

describeOnDebian("fetching the distribution's Redis", () => {
  test.each([
    [
      "W: Failed to fetch http://x/InRelease  Connection timed out",
      /timed out\. .*after ten minutes/,
    ],
    [
      "W: Failed to fetch http://x/InRelease  Temporary failure resolving 'x'",
      /looked up.*minutes/,
    ],
    [
      "W: Failed to fetch http://x/InRelease  Could not connect to x:80. - connect (111: Connection refused)",
      /refused.*minutes/,
    ],
    ["", /neither redis-server nor valkey-server\. .*after a day/],
  ])("says why nothing came, and when it tries again: %s", async (warning, said) => {
    // apt ends well although no list could be fetched, and then knows no package.
    aptIs(
      `case "$*" in *update) echo "${warning}" >&2 ;; *) echo "E: Unable to locate package" >&2; exit 100 ;; esac`,
    );

    expect(await fetchedWith()).toEqual([
      expect.stringMatching(/^There is no Redis on this machine: fetching/),
      expect.stringMatching(said),
    ]);
    // The next start does not wait for it again, and says so.
    const [reason = ""] = said.source.split(/[.\\]/, 1);
    expect(await fetchedWith()).toEqual([
      expect.stringMatching(`${reason}.* A start after [-\\d]+ [:\\d]+ UTC tries again`),
    ]);
  });

  test("says so when apt takes too long, and forgets that soon", async () => {
    aptIs("exec sleep 60");

    const [, said] = await fetchedWith(50);

    expect(said).toMatch(
      /^The distribution's package of Redis could not be fetched: apt took too long .*ten minutes/,
    );
  });

  test("says so when there is no apt", async () => {
    process.env["PATH"] = path.join(dir, "bin");

    const [, said] = await fetchedWith();

    expect(said).toMatch(/apt-get or dpkg is missing\. .*a day/);
  });
});

function aptIs(script: string): void {
  const file = path.join(dir, "bin/apt-get");
  writeFileSync(file, `#!/bin/sh\n${script}\n`);
  chmodSync(file, 0o755);
}

async function fetchedWith(limitMs = 30_000): Promise<readonly string[]> {
  const said: string[] = [];
  const cacheDir = path.join(dir, "cache");
  expect(await unpackDebianRedis({ cacheDir, limitMs, say: (line) => said.push(line) })).toBeNull();
  return said;
}
