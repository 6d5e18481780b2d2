import { randomBytes } from "node:crypto";
import { chownSync, readFileSync, renameSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import * as z from "zod";
import { codeOf } from "../../shared/store-error.ts";

/** A database server that only this copy of Postwell uses. It outlives its launcher's sudden death. */
export interface PrivateStore {
  /** With the password: for settings and connections, never for a log. */
  readonly url: string;
  readonly pid: number;
  /** True when an earlier launcher had left it running. */
  readonly wasRunning: boolean;
  /** Resolves when the process is gone; repeatable. */
  stop(): Promise<void>;
}

const StoreSettings = z.object({
  password: z.string().min(1),
  port: z.int(),
  /** 0 before the first start. */
  pid: z.int(),
});

/** What a private store must remember between two starts. */
export type StoreSettings = z.infer<typeof StoreSettings>;

/** The settings in `dir`; null before the first start. */
export function readSettings(dir: string): StoreSettings | null {
  try {
    return StoreSettings.parse(JSON.parse(readFileSync(settingsFile(dir), "utf8")));
  } catch (error) {
    if (codeOf(error) === "ENOENT") return null;
    throw error;
  }
}

/** Replaces the settings at once, so that a killed launcher leaves the old ones or the new ones. */
export function writeSettings(dir: string, settings: StoreSettings): void {
  const file = settingsFile(dir);
  writeFileSync(`${file}.new`, `${JSON.stringify(settings)}\n`, { mode: 0o600 });
  // Root may start what an ordinary user set up, who must be able to start it again.
  const owner = statSync(dir);
  if (process.getuid?.() === 0) chownSync(`${file}.new`, owner.uid, owner.gid);
  renameSync(`${file}.new`, file);
}

/** 192 bits, safe in URLs and configuration files. */
export function newPassword(): string {
  return randomBytes(24).toString("base64url");
}

function settingsFile(dir: string): string {
  return path.join(dir, "settings.json");
}
