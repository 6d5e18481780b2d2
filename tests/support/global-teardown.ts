import { removeTestStores } from "./test-stores.ts";

/** After all tests, also when some failed: stops the servers that the set-up started and removes their files. */
export default async function globalTeardown(): Promise<void> {
  const dir = process.env["POSTWELL_TEST_DIR"];
  if (dir !== undefined) await removeTestStores(dir);
}
