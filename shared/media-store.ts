import { mkdir, open, readFile, rename, writeFile } from "node:fs/promises";
import path from "node:path";
import { v7 as uuidv7 } from "uuid";

/** Files by their own hash, a workspace apart from the others. Putting one twice is harmless. */
export interface MediaStore {
  put(workspaceId: string, sha256: string, bytes: Uint8Array): Promise<void>;
  read(workspaceId: string, sha256: string): Promise<Uint8Array<ArrayBuffer>>;
  /** In bytes, of a file that can be read; null where there is none, or it cannot. */
  sizeOf(workspaceId: string, sha256: string): Promise<number | null>;
}

/** Keeps media below a folder that api and workers share. */
export function folderMediaStore(folder: string): MediaStore {
  const fileOf = (workspaceId: string, sha256: string) =>
    path.join(folder, workspaceId, sha256.slice(0, 2), sha256);
  return {
    async put(workspaceId, sha256, bytes) {
      const file = fileOf(workspaceId, sha256);
      await mkdir(path.dirname(file), { recursive: true });
      // Written aside and renamed, so that a reader never sees half a file.
      const aside = `${file}.${uuidv7()}`;
      await writeFile(aside, bytes);
      await rename(aside, file);
    },
    async read(workspaceId, sha256) {
      return new Uint8Array(await readFile(fileOf(workspaceId, sha256)));
    },
    async sizeOf(workspaceId, sha256) {
      try {
        // Opened, because a file that may not be read has a size, too.
        const file = await open(fileOf(workspaceId, sha256));
        try {
          return (await file.stat()).size;
        } finally {
          await file.close();
        }
      } catch {
        return null;
      }
    },
  };
}
