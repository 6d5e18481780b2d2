/** Where the demo shows itself. */
export interface Screen {
  /** Whether there is a terminal that shows one line again and again. */
  readonly isLive: boolean;
  readonly paint: Paint;
  /** One or more lines that stay. */
  readonly say: (text: string) => void;
  /** The line at the bottom that changes; nothing where that is not possible. */
  readonly live: (text: string) => void;
}

export interface Paint {
  bold(text: string): string;
  dim(text: string): string;
  good(text: string): string;
  bad(text: string): string;
}

type Terminal = Pick<NodeJS.WriteStream, "write"> & {
  readonly isTTY?: boolean;
  readonly columns?: number;
};

/**
 * Draws on a terminal; writes plain lines into a file or a pipe. Without colours where `NO_COLOR` is set.
 * Source: https://no-color.org (read 2026-11-22)
 */
export function openScreen(terminal: Terminal, env: NodeJS.ProcessEnv): Screen {
  const isLive = terminal.isTTY === true && env["TERM"] !== "dumb";
  const hasColours = isLive && !env["NO_COLOR"];
  let isLineOpen = false;
  const clear = isLive ? "\r\u001B[2K" : "";
  return {
    isLive,
    paint: hasColours ? COLOURS : PLAIN,
    say(text) {
      terminal.write(`${isLineOpen ? clear : ""}${text}\n`);
      isLineOpen = false;
    },
    live(text) {
      if (!isLive) return;
      // A line that wraps cannot be wiped.
      terminal.write(clear + text.slice(0, (terminal.columns ?? 80) - 1));
      isLineOpen = true;
    },
  };
}

const coloured = (code: number) => (text: string) => `\u001B[${code}m${text}\u001B[0m`;
const COLOURS: Paint = {
  bold: coloured(1),
  dim: coloured(2),
  good: coloured(32),
  bad: coloured(31),
};

const plain = (text: string) => text;
const PLAIN: Paint = { bold: plain, dim: plain, good: plain, bad: plain };
