import { ConfigError } from "../../shared/config.ts";
import { StoreError, codeOf } from "../../shared/store-error.ts";

const WRITING_CODES: ReadonlySet<string> = new Set(["EACCES", "EPERM", "EROFS"]);
const NO_FOLDER_CODES: ReadonlySet<string> = new Set(["EEXIST", "ENOTDIR"]);

/** What stopped the start, for a person: our own sentences as they are, the system's with a remedy. */
export function explain(error: unknown): string {
  if (!(error instanceof Error)) return `Postwell could not start: ${String(error)}`;
  if (error instanceof ConfigError || error instanceof StoreError) return error.message;
  if (WRITING_CODES.has(codeOf(error) ?? "")) {
    const place = "path" in error ? String(error.path) : "the data folder";
    return `No permission to use ${place}. Give this user the folder (chown), or choose another with POSTWELL_DATA_DIR.`;
  }
  if (NO_FOLDER_CODES.has(codeOf(error) ?? "") && "path" in error) {
    return `${String(error.path)} cannot be a folder: a file is in its place. Move that file, or choose a folder with POSTWELL_DATA_DIR.`;
  }
  if (codeOf(error) === "ENOSPC") {
    return "The disk is full. Make room, or choose another folder with POSTWELL_DATA_DIR.";
  }
  // Plain errors are sentences of ours; anything else is a bug, and its place helps to find it.
  return error.name === "Error" ? error.message : (error.stack ?? error.message);
}
