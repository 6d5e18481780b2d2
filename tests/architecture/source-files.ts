import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { PROJECT_ROOT } from "../../shared/project-root.ts";

/** A source file and what it imports. */
export interface SourceFile {
  /** From the project's folder, with slashes. */
  readonly path: string;
  readonly text: string;
  /** Files of the project as paths from its folder, packages by name. */
  readonly imports: readonly string[];
}

const ROOTS = ["api", "worker", "shared", "scripts", "tests"];

/** Everything that we write in TypeScript. */
export function sourceFiles(): SourceFile[] {
  return ROOTS.flatMap((root) =>
    readdirSync(path.join(PROJECT_ROOT, root), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
      .map((entry) => read(path.join(entry.parentPath, entry.name))),
  );
}

/** `import … from`, `export … from`, `import "…"` at the beginning of a line, and `import("…")`. */
const IMPORTS =
  /^(?:import|export)\s[^"';]*?\sfrom\s+"([^"]+)"|^import\s+"([^"]+)"|\bimport\(\s*"([^"]+)"\s*\)/gm;

function read(absolute: string): SourceFile {
  const text = readFileSync(absolute, "utf8");
  const from = path.relative(PROJECT_ROOT, absolute).split(path.sep).join("/");
  const specifiers = [...text.matchAll(IMPORTS)].map(([, a, b, c]) => a ?? b ?? c ?? "");
  return { path: from, text, imports: specifiers.map((specifier) => resolve(from, specifier)) };
}

function resolve(from: string, specifier: string): string {
  if (!specifier.startsWith(".")) return packageName(specifier);
  return path.posix.join(path.posix.dirname(from), specifier);
}

function packageName(specifier: string): string {
  const [first = "", second = ""] = specifier.split("/");
  return first.startsWith("@") ? `${first}/${second}` : first;
}
