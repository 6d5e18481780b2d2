/** Does something again and again, one at a time, with a pause in between. */
export function repeat(
  everyMs: number,
  work: () => Promise<void>,
  onError: (error: unknown) => void,
): { stop: () => Promise<void> } {
  const stopping = new AbortController();
  let wakeUp = (): void => {};
  async function loop(): Promise<void> {
    while (!stopping.signal.aborted) {
      await work().catch(onError);
      if (stopping.signal.aborted) return;
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, everyMs);
        wakeUp = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }
  const done = loop();
  return {
    async stop() {
      stopping.abort();
      wakeUp();
      await done;
    },
  };
}
