import { existsSync } from "node:fs";
import path from "node:path";

/** The folder with `package.json`: files that are not compiled (SQL, examples) are found from here. */
export const PROJECT_ROOT = findRoot(import.meta.dirname);

function findRoot(folder: string): string {
  if (existsSync(path.join(folder, "package.json"))) return folder;
  const parent = path.dirname(folder);
  if (parent === folder) throw new Error("package.json is missing above the program's own files.");
  return findRoot(parent);
}
