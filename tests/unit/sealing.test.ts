import { describe, expect, test } from "@jest/globals";
import { AppError } from "../../shared/errors.ts";
import { createSealer } from "../../shared/sealing.ts";

const key = Buffer.alloc(32, 1);
const secret = { accessToken: "very secret", refreshToken: null };

/** The code of the refusal that `work` throws; fails where it throws none. */
function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof AppError) return error.code;
    throw error;
  }
  throw new Error("nothing was refused");
}

describe("sealing", () => {
  test("gives back what was sealed", () => {
    const sealer = createSealer(key);

    const opened = sealer.open(
      sealer.seal(secret, "channels/1/credentials"),
      "channels/1/credentials",
    );

    expect(opened).toEqual(secret);
  });

  test("hides the secret, and makes other bytes of it each time", () => {
    const sealer = createSealer(key);

    const once = sealer.seal(secret, "channels/1/credentials");
    const again = sealer.seal(secret, "channels/1/credentials");

    expect(once.includes("very secret")).toBe(false);
    expect(once.equals(again)).toBe(false);
  });

  test("does not open in another row", () => {
    const sealer = createSealer(key);
    const sealed = sealer.seal(secret, "channels/1/credentials");

    const code = codeOf(() => sealer.open(sealed, "channels/2/credentials"));

    expect(code).toBe("secret.damaged");
  });

  test("does not open once a single bit has changed, wherever it is", () => {
    const sealer = createSealer(key);
    const sealed = sealer.seal(secret, "channels/1/credentials");

    // The first byte is the version, the next eight name the key: those have a test of their own.
    for (let at = 9; at < sealed.length; at += 1) {
      const bent = Buffer.from(sealed);
      bent[at] = (bent[at] ?? 0) ^ 1;
      expect(codeOf(() => sealer.open(bent, "channels/1/credentials"))).toBe("secret.damaged");
    }
  });

  test("says that the key is another one", () => {
    const sealed = createSealer(key).seal(secret, "channels/1/credentials");
    const other = createSealer(Buffer.alloc(32, 2));

    const code = codeOf(() => other.open(sealed, "channels/1/credentials"));

    expect(code).toBe("secret.key_missing");
  });

  test("says that nothing is sealed where a secret was forgotten", () => {
    const sealer = createSealer(key);

    const code = codeOf(() => sealer.open(Buffer.alloc(0), "channels/1/credentials"));

    expect(code).toBe("secret.key_missing");
  });
});
