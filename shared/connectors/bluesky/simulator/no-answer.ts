/** How a connection ends when no answer comes. */
export class NoAnswer extends Error {
  override readonly name = "NoAnswer";
  readonly how: "reset" | "hang" | "html";

  constructor(how: NoAnswer["how"]) {
    super(how);
    this.how = how;
  }
}
