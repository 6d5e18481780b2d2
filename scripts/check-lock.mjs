/**
 * Sees that the lockfile names every package that any platform needs. One that was resolved on one platform can miss the
 * native packages of the others, and `npm ci` then fails there or installs without them.
 * See https://github.com/npm/cli/issues/4828 (read 2026-11-22).
 */
import { readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const file = process.argv[2] ?? path.join(ROOT, "package-lock.json");
const { packages } = JSON.parse(readFileSync(file, "utf8"));

const missing = Object.entries(packages).flatMap(([place, { optionalDependencies = {} }]) =>
  Object.keys(optionalDependencies)
    .filter((name) => !isLocked(place, name))
    .map((name) => `${name}, wanted by ${place || "package.json"}`),
);
for (const line of missing) console.error(`The lockfile lacks ${line}.`);
if (missing.length > 0) {
  console.error(
    "Pin a version that resolves completely, delete node_modules and package-lock.json, and install again.",
  );
  process.exitCode = 1;
}

/** Looks as Node does: in the package's own node_modules, then in those above it. */
function isLocked(place, name) {
  const levels = place === "" ? [] : place.split(/(?:^|\/)node_modules\//).slice(1);
  for (let depth = levels.length; depth >= 0; depth -= 1) {
    const above = levels.slice(0, depth).map((level) => `node_modules/${level}`);
    if (packages[[...above, `node_modules/${name}`].join("/")] !== undefined) return true;
  }
  return false;
}
