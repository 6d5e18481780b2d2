import { execFile } from "node:child_process";
import {
  existsSync,
  mkdtempSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeEach, describe, expect, test } from "@jest/globals";
import { keepProcess } from "../../scripts/launch/kept-process.ts";
import type { KeptProcess } from "../../scripts/launch/kept-process.ts";
import { lockDataDir } from "../../scripts/launch/launcher-lock.ts";
import { requirePort } from "../../scripts/launch/require-port.ts";
import { readSecrets } from "../../scripts/launch/secrets.ts";
import { inspectProcess, stopProcess, usablePort } from "../../scripts/stores/processes.ts";
import { PROJECT_ROOT } from "../../shared/project-root.ts";

const home = mkdtempSync(path.join(tmpdir(), "postwell-launch-"));
let dir: string;

beforeEach(() => {
  dir = mkdtempSync(path.join(home, "data-"));
});

afterAll(() => rmSync(home, { recursive: true, force: true }));

describe("a data folder", () => {
  test("serves one launcher at a time, and the next one afterwards", () => {
    const release = lockDataDir(dir);

    expect(() => lockDataDir(dir)).toThrow(`process ${process.pid}`);

    release();
    release();
    lockDataDir(dir)();
  });

  test("is taken over from a launcher whose pid is another program's now", () => {
    const abandoned = { pid: process.pid, startedAt: "long ago", isStopping: false };
    writeFileSync(path.join(dir, "launcher.lock"), JSON.stringify(abandoned));

    const release = lockDataDir(dir);

    expect(readFileSync(path.join(dir, "launcher.lock"), "utf8")).not.toContain("long ago");
    release();
  });
});

describe("the secrets", () => {
  test("are made once, stay the same, and are readable by their owner alone", () => {
    const first = readSecrets(dir, {});

    expect(readSecrets(dir, {})).toEqual(first);
    expect(Buffer.from(first.secretKey, "base64")).toHaveLength(32);
    expect(first.adminToken).toMatch(/^pw_[\w-]{20,}$/);
    for (const name of ["secret.key", "admin-token"]) {
      expect(statSync(path.join(dir, name)).mode & 0o777).toBe(0o600);
    }
  });

  test("come from the environment where it has them", () => {
    const given = { POSTWELL_SECRET_KEY: "k", POSTWELL_BOOTSTRAP_TOKEN: "t" };

    expect(readSecrets(dir, given)).toEqual({
      secretKey: "k",
      adminToken: "t",
      adminTokenFile: null,
    });
  });

  test("are not made anew beside a database that was sealed with others", () => {
    mkdirSync(path.join(dir, "postgres/cluster"), { recursive: true });

    expect(() => readSecrets(dir, {})).toThrow(/secret.key is missing.*Restore it/);
  });
});

describe("the launcher", () => {
  test("ends with one sentence when Redis is refused while PostgreSQL still starts", async () => {
    const settings = {
      REDIS_URL: `redis://127.0.0.1:${await usablePort(0)}`,
      DATABASE_URL: "",
      PORT: String(await usablePort(0)),
      POSTWELL_DATA_DIR: dir,
    };
    const script = path.join(PROJECT_ROOT, "dist/scripts/start.js");

    const start = promisify(execFile)(process.execPath, [script], {
      env: { ...process.env, ...settings },
    });

    await expect(start).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^REDIS_URL: no usable Redis at .* Start it or correct .*\n$/),
    });
    // What had been started is not left behind.
    expect(existsSync(path.join(dir, "postgres/cluster/postmaster.pid"))).toBe(false);
  });
});

describe("the port", () => {
  test("is refused with another one to try when it is taken", async () => {
    const port = await usablePort(0);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));

    await expect(requirePort("127.0.0.1", port)).rejects.toThrow(`PORT=${port + 1}`);

    await new Promise((resolve) => server.close(resolve));
    await expect(requirePort("127.0.0.1", port)).resolves.toBe(port);
  });

  test("is chosen by us for 0", async () => {
    await expect(requirePort("127.0.0.1", 0)).resolves.toBeGreaterThan(0);
  });
});

describe("a kept process", () => {
  test("is started again when it ends, and its last words are handed on", async () => {
    const script = scriptOf(`console.error(JSON.stringify({ msg: 'No "queue" today.' }));`);
    const { kept, deaths } = keep(script, 2);

    await expect(deaths).resolves.toEqual([
      { how: "code 0", said: 'No "queue" today.' },
      { how: "code 0", said: 'No "queue" today.' },
    ]);
    expect(kept.pid()).toBeNull();
  });

  test("is started again when it is killed, and stays away once it was stopped", async () => {
    const { kept, deaths } = keep(scriptOf("setInterval(() => undefined, 1000);"), 2);
    const first = Number(kept.pid());

    await stopProcess(first, [{ signal: "SIGKILL", waitMs: 10_000 }]);
    const second = await nextLife(kept, first);
    await kept.stop(10_000);

    expect(inspectProcess(second)).toBeNull();
    expect(kept.pid()).toBeNull();
    await expect(Promise.race([deaths, Promise.resolve("one death")])).resolves.toBe("one death");
  });

  test("is killed when it does not stop in time", async () => {
    const script = scriptOf(
      "process.on('SIGTERM', () => undefined); setInterval(() => undefined, 1000); console.log('deaf');",
    );
    const { kept } = keep(script, 1);
    const pid = Number(kept.pid());
    await until(() => readFileSync(path.join(dir, "one.log"), "utf8").includes("deaf"));

    await kept.stop(50);

    expect(inspectProcess(pid)).toBeNull();
  });

  function scriptOf(source: string): string {
    const file = path.join(dir, "script.mjs");
    writeFileSync(file, source);
    return file;
  }

  /** Lets it live `lives` times; then it stays dead, and `deaths` resolves. */
  function keep(script: string, lives: number) {
    const seen: { how: string; said: string }[] = [];
    let finish: (deaths: typeof seen) => void = () => undefined;
    const deaths = new Promise<typeof seen>((resolve) => {
      finish = resolve;
    });
    const kept = keepProcess({
      name: "one",
      script,
      env: process.env,
      logFile: path.join(dir, "one.log"),
      onStart: () => undefined,
      onDeath: (death) => {
        seen.push(death);
        if (seen.length < lives) return 0;
        finish(seen);
        return null;
      },
    });
    return { kept, deaths };
  }

  async function nextLife(kept: KeptProcess, before: number): Promise<number> {
    await until(() => kept.pid() !== null && kept.pid() !== before);
    return Number(kept.pid());
  }

  async function until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
  }
});
