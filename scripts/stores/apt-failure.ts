import { readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import * as z from "zod";

/** Why nothing came, in words for a sentence, and whether that may pass by itself. */
export interface AptFailure {
  readonly reason: string;
  readonly mayPass: boolean;
}

const SOON_MS = 10 * 60_000;
const LATER_MS = 24 * 3_600_000;

/** What Node tells of a command that failed. */
const CommandError = z.object({
  stderr: z.string().catch(""),
  code: z.union([z.string(), z.number()]).nullish().catch(null),
  killed: z.boolean().catch(false),
});

/** Of apt's own sentences, the first that fits. Source: apt-pkg and its methods, `LC_ALL=C`. */
const KNOWN: readonly (AptFailure & { readonly words: RegExp })[] = [
  {
    words: /timed out|timeout/i,
    reason: "the connection to the distribution's server timed out",
    mayPass: true,
  },
  {
    words: /could not resolve|failure resolving/i,
    reason: "the name of the distribution's server could not be looked up",
    mayPass: true,
  },
  {
    words: /connection refused|could not connect|unable to connect|unreachable|connection failed/i,
    reason: "the distribution's server refused the connection or could not be reached",
    mayPass: true,
  },
  {
    words: /\b40[137] |forbidden|unauthorized/i,
    reason: "the distribution's server or a proxy refused the request",
    mayPass: true,
  },
  { words: /no space left/i, reason: "the disk is full", mayPass: true },
  {
    words: /unable to locate package|no installation candidate/i,
    reason: "the distribution has neither redis-server nor valkey-server",
    mayPass: false,
  },
];

export function aptFailureOf(error: unknown): {
  readonly stderr: string;
  readonly code: string | number | null;
  /** It took too long. */
  readonly isCutOff: boolean;
} {
  const told = CommandError.safeParse(error);
  if (!told.success) return { stderr: "", code: null, isCutOff: false };
  const { stderr, code, killed } = told.data;
  return { stderr, code: code ?? null, isCutOff: killed };
}

/** What stopped the download. */
export function explainApt(error: unknown): AptFailure {
  const { stderr, code, isCutOff } = aptFailureOf(error);
  if (isCutOff) return { reason: "apt took too long and was stopped", mayPass: true };
  if (code === "ENOENT") return { reason: "apt-get or dpkg is missing", mayPass: false };
  const known = KNOWN.find(({ words }) => words.test(stderr));
  if (known !== undefined) return { reason: known.reason, mayPass: known.mayPass };
  const said = /^[EW]: (.*)$/m.exec(stderr)?.[1] ?? (error instanceof Error ? error.message : "");
  return { reason: `apt says "${said.slice(0, 200)}"`, mayPass: true };
}

/** Lets some time pass before the next try, or every start would wait for it. @returns the rest of the sentence */
export function rememberFailure(cacheDir: string, { reason, mayPass }: AptFailure): string {
  const notBefore = new Date(Date.now() + (mayPass ? SOON_MS : LATER_MS));
  writeFileSync(failureFile(cacheDir), `${notBefore.toISOString()}\n${reason}\n`);
  return untilThen(cacheDir, reason, mayPass ? "ten minutes" : "a day");
}

/** The same while it is too early for the next try; null when it may be made. */
export function recentFailure(cacheDir: string): string | null {
  const [notBefore = "", reason = ""] = contentOf(failureFile(cacheDir)).split("\n");
  if (!(new Date(notBefore).getTime() > Date.now())) return null;
  return untilThen(cacheDir, reason, `${notBefore.slice(0, 16).replace("T", " ")} UTC`);
}

function untilThen(cacheDir: string, reason: string, when: string): string {
  return `${reason}. A start after ${when} tries again, or one after deleting ${failureFile(cacheDir)}.`;
}

function contentOf(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

function failureFile(cacheDir: string): string {
  return path.join(cacheDir, "redis-unavailable");
}
